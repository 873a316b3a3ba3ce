// SPDX-License-Identifier: Apache-2.0
#include "engine/compare_plan.h"

#include <algorithm>

namespace linformer {
namespace {

constexpr std::int64_t kShortest = 256;
constexpr std::int64_t kLongest = 16384;

bool is_limited(const ModelConfig& config) {
  return config.is_linformer() && config.projection == Projection::kLinear;
}

/// Logits and, where they are not the result, what is made of them. The plain paths hold them
/// whole, and a float32 copy of narrower ones; ours holds a chunk of rows.
double head_bytes(const CompareKind& kind, const ForwardShape& shape, double tokens) {
  constexpr double kChunkBytes = double{1 << 29};  // logits of a chunk and its float32 copies
  const double values = tokens * static_cast<double>(kind.config.vocab_size);
  const double logits = values * static_cast<double>(shape.bytes_per_element);
  const bool is_ours = kind.path == ForwardPath::kOurs;
  const double wide_copy = shape.bytes_per_element < 4 ? 4.0 * values : 0.0;
  switch (shape.head) {
    case HeadOutput::kNone:
      return 0;
    case HeadOutput::kLogits:
      return logits;
    case HeadOutput::kSoftmax:
      return is_ours ? 4.0 * values + std::min(kChunkBytes, logits + wide_copy)
                     : logits + wide_copy + 4.0 * values;
    case HeadOutput::kNll:
      return is_ours ? std::min(kChunkBytes, logits + wide_copy)
                     : logits + wide_copy + 4.0 * values;
    case HeadOutput::kArgmax:
      return is_ours ? std::min(kChunkBytes, logits) : logits;
  }
  return logits;
}

std::string model_name(const ModelConfig& config, std::string_view between) {
  return config.is_linformer()
             ? "linformer" + std::string(between) + std::to_string(config.projected_length)
             : "vanilla";
}

ModelConfig vanilla_of(ModelConfig config) {
  config.type = ModelType::kTransformer;
  return config;
}

}  // namespace

std::string_view path_name(ForwardPath path) {
  switch (path) {
    case ForwardPath::kUnfused:
      return "unfused";
    case ForwardPath::kFused:
      return "fused";
    case ForwardPath::kOurs:
      return "ours";
  }
  return "?";
}

std::string CompareKind::name() const {
  return model_name(config, " k=") + " " + std::string(path_name(path));
}

std::string CompareKind::file_name() const {
  return model_name(config, "-k") + "-" + std::string(path_name(path));
}

std::vector<CompareKind> kinds_of(const ModelConfig& config) {
  return {
      {config, ForwardPath::kUnfused}, {config, ForwardPath::kFused}, {config, ForwardPath::kOurs}};
}

std::vector<CompareKind> compare_kinds(const ModelConfig& config) {
  std::vector<CompareKind> kinds = kinds_of(vanilla_of(config));
  if (config.is_linformer()) {
    for (CompareKind& kind : kinds_of(config)) kinds.push_back(std::move(kind));
  }
  return kinds;
}

CompareKind own_kind(const ModelConfig& config) { return {config, ForwardPath::kFused}; }

std::vector<std::int64_t> default_lengths(const ModelConfig& config, std::int64_t tokens) {
  std::int64_t longest = std::min(tokens, kLongest);
  if (is_limited(config)) longest = std::min(longest, config.max_length);
  std::vector<std::int64_t> lengths;
  for (std::int64_t n = kShortest; n <= longest; n *= 2) lengths.push_back(n);
  if (lengths.empty()) lengths.push_back(longest);
  return lengths;
}

std::int64_t compare_batch(std::int64_t tokens, std::int64_t length) {
  return std::max<std::int64_t>(1, tokens / length);
}

bool is_too_long(const ModelConfig& config, std::int64_t length) {
  return is_limited(config) && length > config.max_length;
}

bool is_by_head(const CompareKind& kind, std::int64_t length, bool is_gpu) {
  constexpr std::int64_t kLongestOfAllHeads = 32768;
  // The decoder's causal attention is full in a Linformer too.
  const bool is_full = !kind.config.is_linformer() || !kind.config.encoder_only;
  return is_gpu && kind.path == ForwardPath::kUnfused && is_full && length > kLongestOfAllHeads;
}

double forward_bytes(const CompareKind& kind, const ForwardShape& shape) {
  const ModelConfig& config = kind.config;
  const auto sentences = static_cast<double>(shape.batch);
  const auto n = static_cast<double>(shape.length);
  const auto element = static_cast<double>(shape.bytes_per_element);
  const double tokens = sentences * n;
  const double keys = config.is_linformer() ? static_cast<double>(config.projected_length) : n;
  // Residual stream, queries, keys, values, attention's output; the wide layer and its ReLU; the
  // encoder's output.
  const double layer =
      tokens * element *
      (7.0 * static_cast<double>(config.model_dim) + 2.0 * static_cast<double>(config.ffn_dim));
  // Scores of an attention of n queries for every head: two copies live at once in each step of the
  // unfused product.
  const double scored = shape.by_head ? 1.0 : sentences * static_cast<double>(config.num_heads);
  const auto score_bytes = [&](double width) { return 2.0 * scored * n * width * element; };
  double attention = 0;
  if (kind.path == ForwardPath::kUnfused) {
    attention = score_bytes(config.encoder_only ? keys : std::max(keys, n));
  }
  if (config.is_linformer() && config.projection == Projection::kSegment) {
    attention = std::max(attention, score_bytes(keys));  // weights of the parts
  }
  return layer + std::max(attention, head_bytes(kind, shape, tokens));
}

}  // namespace linformer
