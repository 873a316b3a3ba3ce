// SPDX-License-Identifier: Apache-2.0
#include "config/model_size.h"

namespace linformer {
namespace {

struct Sizes {
  double d, m, h, layers, k, n, v;

  explicit Sizes(const ModelConfig& config)
      : d(static_cast<double>(config.model_dim)),
        m(static_cast<double>(config.ffn_dim)),
        h(static_cast<double>(config.num_heads)),
        layers(static_cast<double>(config.num_layers)),
        k(static_cast<double>(config.projected_length)),
        n(static_cast<double>(config.max_length)),
        v(static_cast<double>(config.vocab_size)) {}
};

}  // namespace

double parameter_count(const ModelConfig& config) {
  const Sizes s(config);
  const double attention = 4 * s.d * s.d;
  const double feed_forward = 2 * s.d * s.m;
  const double norm = 2 * s.d;
  double shortening = 0;
  if (config.is_linformer()) {
    shortening = config.projection == Projection::kSegment ? s.h * s.d + s.h : 2 * s.k * s.n;
  }
  const double final_norm = config.norm == NormPlacement::kPre ? norm : 0;
  double total =
      s.v * s.d + s.layers * (attention + shortening + feed_forward + 2 * norm) + final_norm;
  if (!config.encoder_only) {
    const double cross_shortening = config.shortens_cross_attention() ? shortening : 0;
    total += s.layers * (2 * attention + cross_shortening + feed_forward + 3 * norm) + final_norm;
  }
  if (!config.tie_embeddings) total += s.v * s.d + s.v;
  return total;
}

double training_state_bytes(const ModelConfig& config) { return 16 * parameter_count(config); }

double activation_bytes(const ModelConfig& config, double tokens) {
  const Sizes s(config);
  const double encoder = 8 * s.d + 2 * s.m;
  const double decoder = 14 * s.d + 2 * s.m;
  const double floats = s.layers * (encoder + (config.encoder_only ? 0 : decoder)) + 2 * s.v;
  return 4 * tokens * floats;
}

}  // namespace linformer
