// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/capacity_packing.h"
#include "data/pair_set.h"

namespace linformer {

/// Sequences of ids, one after another.
struct IdRows {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> lengths;

  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size()); }
};

/// Sentence pairs as a model trains on them: source, decoder input (target without its last id) and
/// labels (target without its first), real tokens only.
struct HostBatch {
  IdRows source;
  IdRows decoder_input;
  std::vector<std::int64_t> labels;
  /// Rows of the token tensors, padded at the end; 0 = as many as tokens.
  BatchCapacity capacity;

  /// Adds a pair, <s> and </s> on both sides. The target has at least these two.
  void append(std::span<const std::int32_t> source_ids, std::span<const std::int32_t> target_ids);
};

/// The pairs `indices` of `pairs`.
HostBatch gather_batch(const PairSet& pairs, std::span<const std::uint32_t> indices);

}  // namespace linformer
