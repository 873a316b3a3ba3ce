// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/length_projection.h"
#include "ops/packed_attention.h"

namespace linformer {

// What the accelerator computes on packed sequences, as compositions of ATen's operations, one
// sequence after another: on any device, in float32, float64 or bfloat16. The host reads where
// sequences start. Differentiable like the functions of the same names, whose shapes these have.
// Throw c10::Error when sizes disagree.

/// query_THD attends to key_SHD and value_SHD; queries without keys get 0. Returns [T, H * D].
at::Tensor attend_each_by_starts(const at::Tensor& query_THD, const at::Tensor& key_SHD,
                                 const at::Tensor& value_SHD, const AttentionStarts& starts,
                                 bool causal);

ShortenedSequences project_each_length(const at::Tensor& kv_T2M, const at::Tensor& E_KN,
                                       const at::Tensor& F_KN, const at::Tensor& start_B1,
                                       bool all_slots);

ShortenedSequences pool_each_segment(const at::Tensor& kv_T2M, const at::Tensor& scores_TH,
                                     const at::Tensor& start_B1, std::int64_t slots);

}  // namespace linformer
