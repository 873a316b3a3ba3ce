// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

// Layer norm over the last dimension (Ba et al. 2016): float32, bfloat16 or float64 x_TM, gain and
// bias [M] of its type. Differentiable. On a GPU in bfloat16 each is one kernel, and so is its
// backward pass.

at::Tensor layer_norm(const at::Tensor& x_TM, const at::Tensor& weight_M, const at::Tensor& bias_M,
                      double epsilon);

/// What a sublayer adds to the residual.
struct Addend {
  at::Tensor y_TM;  // undefined: nothing
  double dropout = 0.0;
};
/// Results for up to three readers, whose gradients the backward pass adds.
struct AddedNorm {
  at::Tensor out_TM;
  at::Tensor again_TM;  // out
  at::Tensor sum_TM;    // what the norm is taken of
};
/// The norm of x + dropout(y), where the sum is rounded to its type. Throws c10::Error for a
/// dropout outside [0, 1).
AddedNorm add_layer_norm(const at::Tensor& x_TM, const Addend& addend, const at::Tensor& weight_M,
                         const at::Tensor& bias_M, double epsilon);

}  // namespace linformer
