// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

/// -log softmax(hidden W^T + b)[target] of every row, in chunks of rows so that the [T, V] logits
/// never exist whole. hidden_TM, weight_VM: one type and device; bias_V undefined = none; targets_T
/// int64. Returns float32 (float64) [T]. No gradient.
at::Tensor token_nll(const at::Tensor& hidden_TM, const at::Tensor& weight_VM,
                     const at::Tensor& bias_V, const at::Tensor& targets_T);

/// Rows of logits that are held at once: 256 MiB of float32 on a CPU (each chunk reads the whole
/// weight and adds to its whole gradient, so few are better), 1 GiB on a GPU.
std::int64_t logit_chunk_rows(const at::Tensor& weight_VM);

/// The same where no gradient is wanted: on a GPU about 64 MiB of bfloat16, most of which stays in
/// its cache until the chunk has been read.
std::int64_t inference_chunk_rows(const at::Tensor& weight_VM);

}  // namespace linformer
