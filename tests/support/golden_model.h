// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/parameter_store.h"
#include "model/transformer.h"
#include "ops/packed_sequences.h"

namespace linformer::testing {

// The committed goldens of scripts/golden/model.py: weights follow a rule that both sides compute,
// batches are stored.

inline nlohmann::json load_golden(const std::string& name) {
  std::ifstream file(std::string(LF_SOURCE_DIR) + "/tests/golden/" + name + ".json");
  return nlohmann::json::parse(file);
}

inline std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

/// Fills every parameter by the rule of the goldens' header.
inline void fill_by_rule(ParameterStore& store) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : store.parameters()) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const char c : parameter.name) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    }
    const bool is_matrix = parameter.master.dim() == 2;
    const bool is_gain = !is_matrix && parameter.name.find("norm") != std::string::npos &&
                         parameter.name.ends_with("weight");
    std::vector<float> values(static_cast<std::size_t>(parameter.master.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double u = static_cast<double>(mix(hash + i * 0x9E3779B97F4A7C15ULL) >> 40) * 0x1p-24;
      values[i] = static_cast<float>((is_gain ? 1.0 : 0.0) + (u - 0.5) * (is_matrix ? 0.1 : 0.2));
    }
    parameter.master.copy_(
        at::from_blob(values.data(), parameter.master.sizes(), at::TensorOptions(at::kFloat)));
  }
  store.refresh_shadows();
}

inline ModelConfig golden_config(const nlohmann::json& json) {
  ModelConfig config;
  config.type = json.at("type") == "Linformer" ? ModelType::kLinformer : ModelType::kTransformer;
  config.model_dim = json.at("model_dim");
  config.ffn_dim = json.at("ffn_dim");
  config.num_heads = json.at("num_heads");
  config.num_layers = json.at("num_layers");
  config.projected_length = json.at("projected_length");
  config.vocab_size = json.at("vocab_size");
  config.encoder_only = json.at("encoder_only");
  config.norm = json.at("norm") == "pre" ? NormPlacement::kPre : NormPlacement::kPost;
  config.tie_embeddings = json.at("tie_embeddings");
  config.projection =
      json.at("projection") == "segment" ? Projection::kSegment : Projection::kLinear;
  config.max_length = json.at("max_length");
  config.compatibility = json.at("compatibility");
  config.dropout = 0.0;
  return config;
}

inline PackedSequences golden_side(const nlohmann::json& rows) {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> lengths;
  for (const auto& row : rows) {
    lengths.push_back(static_cast<std::int64_t>(row.size()));
    for (const std::int64_t id : row) ids.push_back(id);
  }
  return pack_sequences(ids, lengths, at::kCPU);
}

/// All labels one after another.
inline at::Tensor golden_labels(const nlohmann::json& golden) {
  return golden_side(golden.at("labels")).ids_T;
}

}  // namespace linformer::testing
