// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

// Shapes: T, S rows, M model width, N outputs, F width inside the feed-forward layer. Weights are
// [out, in]. On a GPU in bfloat16 gradients of weights are computed beside what follows them
// (Accelerator::run_beside); the products are cuBLAS's, except those that end in a ReLU or its
// gradient, where there is a kernel for them. Elsewhere these are compositions of ATen.

/// x_TM W^T -> [T, N].
at::Tensor linear(const at::Tensor& x_TM, const at::Tensor& weight_NM);

struct CrossProjection {
  at::Tensor query_TM;
  at::Tensor key_value_S2M;
  at::Tensor memory_SM;  // for its next reader, a project_cross as well: the gradient that comes
                         // back from there is added to within a product
};
/// Queries of one input and keys and values of another by the rows of one weight_3MM: Q, K, V.
CrossProjection project_cross(const at::Tensor& query_TM, const at::Tensor& memory_SM,
                              const at::Tensor& weight_3MM);

/// W_down max(0, W_up x) -> [T, M]. `zeros_F` are zeros of the weights' type and device, for GPUs
/// without a kernel: cuBLASLt applies a ReLU as the last step of a product with a bias.
at::Tensor feed_forward(const at::Tensor& x_TM, const at::Tensor& up_FM, const at::Tensor& down_MF,
                        const at::Tensor& zeros_F);

}  // namespace linformer
