// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ops/packed_sequences.h"
#include "training/corpus_loss.h"

namespace linformer {

/// One batch on the device: source, decoder input (target without its last id) and labels (target
/// without its first).
struct DeviceBatch {
  PackedSequences source;
  PackedSequences decoder_input;
  at::Tensor labels_T;
  std::int64_t source_tokens = 0;
  std::int64_t target_tokens = 0;  // labels
};

/// `pairs` must not be empty, targets have at least two ids (<s> and </s>).
DeviceBatch make_batch(std::span<const IdPair> pairs, at::Device device);

}  // namespace linformer
