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

/// Sets out and lse, unless it returns false. `variant` is that of kernels/long_attention_hopper.h.
bool attend_long_on_hopper(AcceleratedAttention& attention,
                           int variant = LongAttention::kBestVariant);

}  // namespace linformer
