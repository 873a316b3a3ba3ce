// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "data/capacity_packing.h"

namespace linformer {

// Data order as pure functions of (seed, epoch): nothing to save but the position.
// The generator is splitmix64 (Steele, Lea, Flood 2014), own code, so that every platform draws the
// same numbers.

/// splitmix64: state += 0x9E3779B97F4A7C15; z = state; z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
/// z = (z ^ z >> 27) * 0x94D049BB133111EB; result z ^ z >> 31.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t state) : state_(state) {}
  std::uint64_t next();
  /// Uniform in [0, bound), bound > 0: the high half of next() * bound, redrawn where that would be
  /// biased (Lemire 2019).
  std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t state_;
};

/// A permutation of 0 .. size - 1: Fisher-Yates from the top (swap i with below(i + 1), i = size -
/// 1 .. 1). The generator starts at mix(mix(seed) + 2 * epoch), that of the batch order at
/// mix(mix(seed) + 2 * epoch + 1), mix(x) = SplitMix64(x).next().
std::vector<std::uint32_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::uint32_t size);

/// How an epoch is cut into batches.
struct SamplerOptions {
  std::int64_t batch_tokens = 8192;  // most real tokens of a batch on either side, <s> and </s>
                                     // counted; read when batch_size is 0
  std::int64_t batch_size = 0;       // pairs a batch; 0 = batch_tokens decides
  std::int64_t sort_window =
      65536;                // shuffled pairs that are sorted by length together; 1 = no sorting
  bool sequential = false;  // file order, no shuffling at all: the order of the original
  std::optional<BatchCapacity> capacity;  // set: batches of this shape, packed from the shuffled
                                          // order without sorting; the others are not read
};

/// Batches of pair indices in training order; every index occurs once. Shuffle, sort inside windows
/// of the shuffled order by the larger of source length / all source ids and target length / all
/// target ids, cut, shuffle the batches. The last batch of an epoch may be small. Lengths are those
/// of a PairSet: <s> and </s> counted, one a pair, both spans equally long. Throws ConfigError when
/// a single pair does not fit into batch_tokens.
std::vector<std::vector<std::uint32_t>> epoch_batches(const SamplerOptions& options,
                                                      std::span<const std::uint32_t> source_lengths,
                                                      std::span<const std::uint32_t> target_lengths,
                                                      std::uint64_t seed, std::int64_t epoch);

/// Real tokens / (rows x longest row) over all batches, per side; 1 = no padding.
/// 0 batches: 1.
struct PaddingEfficiency {
  double source = 1.0;
  double target = 1.0;
};
PaddingEfficiency padding_efficiency(const std::vector<std::vector<std::uint32_t>>& batches,
                                     std::span<const std::uint32_t> source_lengths,
                                     std::span<const std::uint32_t> target_lengths);

}  // namespace linformer
