// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/model_config.h"
#include "ops/head_consumer.h"

namespace linformer {

/// How a forward pass is computed.
enum class ForwardPath {
  kUnfused,  // every product and the scores between them in memory, as the paper's baseline
  kFused,    // with ATen's fused attention, else as a plain PyTorch program would
  kOurs,     // the fastest way there is here: no masks, E(xW) as (Ex)W, the head with its consumer,
             // own kernels and one graph on a GPU
};
std::string_view path_name(ForwardPath path);

/// One kind of attention that is timed.
struct CompareKind {
  ModelConfig config;
  ForwardPath path = ForwardPath::kUnfused;

  /// "vanilla fused", "linformer k=32 unfused".
  std::string name() const;
  /// The same for file names: "vanilla-fused", "linformer-k32-unfused".
  std::string file_name() const;
};

/// All paths of one model.
std::vector<CompareKind> kinds_of(const ModelConfig& config);

/// The kinds of one comparison: all paths of the vanilla model of the configuration's sizes, then
/// of its Linformer where it describes one.
std::vector<CompareKind> compare_kinds(const ModelConfig& config);

/// The kind that the original's file is written for: the configuration's own, fused.
CompareKind own_kind(const ModelConfig& config);

/// The lengths that are timed when nobody says which: powers of two from 256 to 16,384, at most
/// `tokens` and, of a Linformer whose projections have columns, max_length; one length where none
/// fits.
std::vector<std::int64_t> default_lengths(const ModelConfig& config, std::int64_t tokens);

/// Sentences of one batch: tokens / length, at least 1.
std::int64_t compare_batch(std::int64_t tokens, std::int64_t length);

/// True where a Linformer's projections have no column for the last token.
bool is_too_long(const ModelConfig& config, std::int64_t length);

/// Whether unfused attention goes one head of one sentence at a time: full attention on a GPU
/// beyond 32,768 tokens, where the scores of all heads fit no memory.
bool is_by_head(const CompareKind& kind, std::int64_t length, bool is_gpu);

/// What forward_bytes depends on beside the kind.
struct ForwardShape {
  std::int64_t batch = 0;
  std::int64_t length = 0;
  std::int64_t bytes_per_element = 0;
  HeadOutput head = HeadOutput::kLogits;
  bool by_head = false;
};

/// Bytes that a forward pass of batch x length tokens (on both sides) needs at its worst moment, by
/// closed form: the head's output and what leads to it, or two copies of the scores of unfused
/// attention, beside the layer's activations.
double forward_bytes(const CompareKind& kind, const ForwardShape& shape);

}  // namespace linformer
