// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

/// max(0, x W^T), [T, F], of x_TM and weight_FM of one floating point type. On a GPU in bfloat16
/// the product itself writes what is above 0. Differentiable.
at::Tensor linear_relu(const at::Tensor& x_TM, const at::Tensor& weight_FM);

}  // namespace linformer
