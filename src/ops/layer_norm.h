// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

// Layer norm over the last dimension (Ba et al. 2016): float32, bfloat16 or float64 x_TM, gain and
// bias [M] of its type. Differentiable. On a GPU in bfloat16 each is one kernel, and so is its
// backward pass; results come twice, for two readers, whose gradients that kernel adds.

at::Tensor layer_norm(const at::Tensor& x_TM, const at::Tensor& weight_M, const at::Tensor& bias_M,
                      double epsilon);

struct PassedNorm {
  at::Tensor out_TM;
  at::Tensor x_TM;  // x again, for whoever else reads it
};
/// The norm, and x.
PassedNorm layer_norm_and_pass(const at::Tensor& x_TM, const at::Tensor& weight_M,
                               const at::Tensor& bias_M, double epsilon);

struct AddedNorm {
  at::Tensor out_TM;
  at::Tensor again_TM;  // out
};
/// The norm of x + y, where the sum is rounded to its type.
AddedNorm add_layer_norm(const at::Tensor& x_TM, const at::Tensor& y_TM, const at::Tensor& weight_M,
                         const at::Tensor& bias_M, double epsilon);

}  // namespace linformer
