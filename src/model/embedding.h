// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/model_config.h"
#include "model/forward_options.h"
#include "model/parameter_store.h"

namespace linformer {

/// PE[p, j] = sin(p / 10000^(2j/M)), PE[p, M/2 + j] = cos(the same), j < M/2: all sines, then all
/// cosines. float32 [length, M].
at::Tensor sinusoidal_positions(std::int64_t length, std::int64_t model_dim);

/// Token embedding (times sqrt(M) except in compatibility mode) plus positions, then dropout. One
/// table serves both sides.
class Embedding {
 public:
  Embedding(const ModelConfig& config, const ParameterScope& scope);

  /// ids_T, positions_T: int64. Returns [T, M] in the compute dtype. Any position is allowed; the
  /// table grows.
  at::Tensor forward(const at::Tensor& ids_T, const at::Tensor& positions_T,
                     std::int64_t max_length, const ForwardOptions& options);
  const at::Tensor& weight() const { return weight_VM_; }

 private:
  at::Tensor weight_VM_;
  at::Tensor positions_PM_;
  double scale_;
  double dropout_;
};

}  // namespace linformer
