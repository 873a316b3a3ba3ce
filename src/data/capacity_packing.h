// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace linformer {

/// The one shape of all batches: what does not fit goes into the next one, what is left is padded
/// at the end.
struct BatchCapacity {
  std::int64_t source_tokens = 0;  // <s> and </s> counted
  std::int64_t target_tokens = 0;  // decoder inputs: <s> counted, </s> not
  std::int64_t pairs = 0;
};

/// `batch_tokens` for the longer side, for the other in proportion to the tokens of the corpus, and
/// pairs for batches of somewhat shorter sentences than the mean. Lengths are those of the
/// sampler. Throws ConfigError when a single pair does not fit.
BatchCapacity choose_capacity(std::span<const std::uint32_t> source_lengths,
                              std::span<const std::uint32_t> target_lengths,
                              std::int64_t batch_tokens);

/// Cuts `order` into batches within `capacity`. A batch takes pairs in order until it is nearly
/// full, then those of the next few that fill both sides best; what they left comes first in the
/// next batch. Every pair occurs once. Every pair must fit into an empty batch.
std::vector<std::vector<std::uint32_t>> pack_batches(std::span<const std::uint32_t> order,
                                                     std::span<const std::uint32_t> source_lengths,
                                                     std::span<const std::uint32_t> target_lengths,
                                                     const BatchCapacity& capacity);

/// Share of the token capacity of both sides, over all batches, that no real token uses. 0 batches:
/// 0.
double unused_share(const std::vector<std::vector<std::uint32_t>>& batches,
                    std::span<const std::uint32_t> source_lengths,
                    std::span<const std::uint32_t> target_lengths, const BatchCapacity& capacity);

}  // namespace linformer
