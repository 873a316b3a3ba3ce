// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model_config.h"

namespace linformer {

/// One kind of attention that is timed.
struct CompareKind {
  ModelConfig config;
  bool is_fused = false;

  /// "vanilla fused", "linformer k=32 unfused".
  std::string name() const;
  /// The same for file names: "vanilla-fused", "linformer-k32-unfused".
  std::string file_name() const;
};

/// The kinds of one comparison: the vanilla model of the configuration's sizes, unfused and fused,
/// then its Linformer where it describes one. The last kind is the configuration's own, fused.
std::vector<CompareKind> compare_kinds(const ModelConfig& config);

/// The lengths that are timed when nobody says which: powers of two from 256 to 16,384, at most
/// `tokens` and, of a Linformer whose projections have columns, max_length; one length where none
/// fits.
std::vector<std::int64_t> default_lengths(const ModelConfig& config, std::int64_t tokens);

/// Sentences of one batch: tokens / length, at least 1.
std::int64_t compare_batch(std::int64_t tokens, std::int64_t length);

/// True where a Linformer's projections have no column for the last token.
bool is_too_long(const ModelConfig& config, std::int64_t length);

/// Bytes that a forward pass of batch x length tokens (on both sides) needs at its worst moment, by
/// closed form: the logits (and in compatibility mode their float32 softmax), or two copies of the
/// scores of unfused attention, beside the layer's activations.
double forward_bytes(const CompareKind& kind, std::int64_t batch, std::int64_t length,
                     std::int64_t bytes_per_element);

}  // namespace linformer
