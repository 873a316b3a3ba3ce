// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "ops/torch.h"

namespace linformer {

/// Normal random numbers in float64; the same for the same seed.
inline at::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t seed) {
  return at::empty(shape, at::TensorOptions(at::kDouble))
      .normal_(0.0, 1.0, at::make_generator<at::CPUGeneratorImpl>(seed));
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  TORCH_CHECK(a.sizes() == b.sizes(), "sizes ", a.sizes(), " and ", b.sizes(), " differ");
  return (a.detach() - b.detach()).abs().max().item<double>();
}

/// Central differences of a scalar function at `x` (float64).
inline at::Tensor numeric_gradient(const std::function<at::Tensor(const at::Tensor&)>& function,
                                   const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  const at::Tensor point = x.detach().clone().contiguous();
  at::Tensor out = at::zeros(point.sizes(), point.options());
  for (std::int64_t i = 0; i < point.numel(); ++i) {
    double& value = point.data_ptr<double>()[i];
    const double kept = value;
    value = kept + kStep;
    const double above = function(point).item<double>();
    value = kept - kStep;
    const double below = function(point).item<double>();
    value = kept;
    out.data_ptr<double>()[i] = (above - below) / (2 * kStep);
  }
  return out;
}

/// What backward leaves at `x`.
inline at::Tensor autograd_gradient(const std::function<at::Tensor(const at::Tensor&)>& function,
                                    const at::Tensor& x) {
  const at::Tensor leaf = x.detach().clone().set_requires_grad(true);
  function(leaf).backward();
  return leaf.grad();
}

}  // namespace linformer
