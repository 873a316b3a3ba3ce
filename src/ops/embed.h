// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

/// scale * weight[ids] + positions[at], [T, M]. weight_VM and positions_PM of one floating point
/// type; ids_T and at_T int64, or int32 for the GPU's kernel. Differentiable in the weight.
at::Tensor embed(const at::Tensor& weight_VM, const at::Tensor& ids_T,
                 const at::Tensor& positions_PM, const at::Tensor& at_T, double scale);

}  // namespace linformer
