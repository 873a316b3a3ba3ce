// SPDX-License-Identifier: Apache-2.0
// Shapes: T tokens, M model width, V vocabulary, P positions.
#include "model/embedding.h"

#include <algorithm>
#include <cmath>

#include "ops/dropout.h"
#include "ops/embed.h"

namespace linformer {

at::Tensor sinusoidal_positions(std::int64_t length, std::int64_t model_dim) {
  const auto options = at::TensorOptions(at::kDouble);
  const at::Tensor exponent =
      at::arange(model_dim / 2, options) * (2.0 / static_cast<double>(model_dim));
  const at::Tensor rate = at::pow(at::full({}, 10000.0, options), -exponent);
  const at::Tensor angle = at::arange(length, options).unsqueeze(1) * rate.unsqueeze(0);
  return at::cat({at::sin(angle), at::cos(angle)}, 1);
}

Embedding::Embedding(const ModelConfig& config, const ParameterScope& scope)
    : weight_VM_(scope.add("weight", {config.vocab_size, config.model_dim},
                           config.compatibility ? Init::kUnitNormal : Init::kEmbedding)),
      scale_(config.compatibility ? 1.0 : std::sqrt(static_cast<double>(config.model_dim))),
      dropout_(config.dropout) {}

at::Tensor Embedding::forward(const at::Tensor& ids_T, const at::Tensor& positions_T,
                              std::int64_t max_length, const ForwardOptions& options) {
  if (!positions_PM_.defined() || positions_PM_.size(0) < max_length) {
    const at::NoGradGuard no_grad;
    const std::int64_t grown = std::max<std::int64_t>(
        max_length, positions_PM_.defined() ? 2 * positions_PM_.size(0) : 256);
    positions_PM_ = sinusoidal_positions(grown, weight_VM_.size(1)).to(weight_VM_.options());
  }
  const at::Tensor x_TM = embed(weight_VM_, ids_T, positions_PM_, positions_T, scale_);
  return options.training && dropout_ > 0 ? dropout(x_TM, dropout_) : x_TM;
}

}  // namespace linformer
