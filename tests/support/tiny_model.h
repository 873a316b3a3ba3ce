// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "model/parameter_store.h"
#include "model/transformer.h"

namespace linformer {

/// Every kind of model that translates, in the smallest sizes that still have several heads and
/// layers. k = 4.
inline const std::vector<std::string> kTinyKinds{
    "vanilla", "linear", "segment", "segment_full_cross", "compat_vanilla", "compat_linear"};

inline ModelConfig tiny_config(const std::string& kind, std::int64_t vocab_size) {
  ModelConfig config;
  config.compatibility = kind.starts_with("compat");
  const bool is_vanilla = kind.ends_with("vanilla");
  config.type = is_vanilla ? ModelType::kTransformer : ModelType::kLinformer;
  config.projected_length = is_vanilla ? 0 : 4;
  config.projection = kind.starts_with("segment") ? Projection::kSegment : Projection::kLinear;
  if (kind.ends_with("full_cross")) config.cross_attention = CrossAttention::kFull;
  config.model_dim = 16;
  config.ffn_dim = 32;
  config.num_heads = 2;
  config.num_layers = 2;
  config.vocab_size = vocab_size;
  config.max_length = 40;
  config.dropout = 0.0;
  config.tie_embeddings = false;  // a tied random model repeats what it has read and never ends
  if (config.compatibility) {
    config.norm = NormPlacement::kPost;
    config.projection_init = ProjectionInit::kSeed;
  }
  return config;
}

/// A model with random weights, large enough that outputs depend on everything that was read.
struct TinyModel {
  TinyModel(const ModelConfig& config, at::ScalarType dtype, std::uint64_t seed = 7)
      : store(std::make_unique<ParameterStore>(at::kCPU, dtype, seed)),
        model(std::make_unique<Transformer>(config, *store)) {
    const at::NoGradGuard no_grad;
    for (const Parameter& parameter : store->parameters()) {
      if (parameter.master.dim() == 2) parameter.master.mul_(2.5);
    }
    store->refresh_shadows();
  }

  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<Transformer> model;
};

/// `count` sources of `shortest` to `longest` ids with <s> (0) and </s> (2), the others below
/// vocab_size.
inline std::vector<std::vector<std::int32_t>> random_sources(std::size_t count,
                                                             std::size_t shortest,
                                                             std::size_t longest,
                                                             std::int64_t vocab_size,
                                                             std::uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::vector<std::vector<std::int32_t>> out(count);
  for (std::vector<std::int32_t>& source : out) {
    const std::size_t length = shortest + random() % (longest - shortest + 1);
    source.push_back(0);
    while (source.size() + 1 < length) {
      source.push_back(
          static_cast<std::int32_t>(3 + random() % static_cast<std::uint32_t>(vocab_size - 3)));
    }
    source.push_back(2);
  }
  return out;
}

/// Sequences of these lengths whose ids are all 0, for attention, which reads none.
inline PackedSequences blank_sequences(const std::vector<std::int64_t>& lengths) {
  std::int64_t total = 0;
  for (const std::int64_t length : lengths) total += length;
  return pack_sequences(std::vector<std::int64_t>(static_cast<std::size_t>(total)), lengths,
                        at::kCPU);
}

}  // namespace linformer
