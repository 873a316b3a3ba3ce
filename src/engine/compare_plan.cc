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

/// Scores of one attention of `queries` x `keys` for every head: two live at once in each step of
/// the unfused product.
double score_bytes(const ModelConfig& config, double batch, double queries, double keys,
                   double element) {
  return 2.0 * batch * static_cast<double>(config.num_heads) * queries * keys * element;
}

}  // namespace

std::string CompareKind::name() const {
  const std::string kind =
      config.is_linformer() ? "linformer k=" + std::to_string(config.projected_length) : "vanilla";
  return kind + (is_fused ? " fused" : " unfused");
}

std::string CompareKind::file_name() const {
  const std::string kind =
      config.is_linformer() ? "linformer-k" + std::to_string(config.projected_length) : "vanilla";
  return kind + (is_fused ? "-fused" : "-unfused");
}

std::vector<CompareKind> compare_kinds(const ModelConfig& config) {
  ModelConfig vanilla = config;
  vanilla.type = ModelType::kTransformer;
  std::vector<CompareKind> kinds{{vanilla, false}, {vanilla, true}};
  if (config.is_linformer()) {
    kinds.push_back({config, false});
    kinds.push_back({config, true});
  }
  return kinds;
}

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

double forward_bytes(const CompareKind& kind, std::int64_t batch, std::int64_t length,
                     std::int64_t bytes_per_element) {
  const ModelConfig& config = kind.config;
  const auto sentences = static_cast<double>(batch);
  const auto n = static_cast<double>(length);
  const auto element = static_cast<double>(bytes_per_element);
  const double tokens = sentences * n;
  const double keys = config.is_linformer() ? static_cast<double>(config.projected_length) : n;
  // Residual stream, queries, keys, values, attention's output; the wide layer and its ReLU; the
  // encoder's output.
  const double layer =
      tokens * element *
      (7.0 * static_cast<double>(config.model_dim) + 2.0 * static_cast<double>(config.ffn_dim));
  double attention = 0;
  if (!kind.is_fused) {
    attention =
        score_bytes(config, sentences, n, config.encoder_only ? keys : std::max(keys, n), element);
  }
  if (config.is_linformer() && config.projection == Projection::kSegment) {
    attention = std::max(attention,
                         score_bytes(config, sentences, n, keys, element));  // weights of the parts
  }
  // Logits; the original's float32 softmax of them, and a float32 copy that it makes of narrower
  // ones.
  const double softmax = config.compatibility ? (bytes_per_element < 4 ? 8.0 : 4.0) : 0.0;
  const double head = tokens * static_cast<double>(config.vocab_size) * (element + softmax);
  return layer + std::max(attention, head);
}

}  // namespace linformer
