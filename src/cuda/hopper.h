// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/long_attention_hopper.h"
#include "ops/accelerator.h"

namespace linformer {

// What the accelerator has for Hopper GPUs alone (kernels/*_hopper.h); nothing on others.

std::optional<Accelerator::HeadRows> consume_head_on_hopper(const at::Tensor& hidden_TM,
                                                            const at::Tensor& weight_VM,
                                                            const at::Tensor& bias_V,
                                                            const at::Tensor& targets_T,
                                                            std::int64_t num_ids);

std::optional<Accelerator::HeadLoss> head_loss_on_hopper(const at::Tensor& hidden_TM,
                                                         const at::Tensor& weight_VM,
                                                         const at::Tensor& bias_V,
                                                         const at::Tensor& labels_T,
                                                         double smoothing, const at::Tensor& scale);

std::optional<at::Tensor> relu_product_on_hopper(const at::Tensor& x_TM,
                                                 const at::Tensor& weight_FM);

std::optional<at::Tensor> masked_product_on_hopper(const at::Tensor& gradient_TM,
                                                   const at::Tensor& weight_MF,
                                                   const at::Tensor& inner_TF);

/// Sets out and lse, unless it returns false. `variant`: of kernels/long_attention_hopper.h.
bool attend_long_on_hopper(AcceleratedAttention& attention,
                           int variant = LongAttention::kBestVariant);

}  // namespace linformer
