// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/attention_plan_cuda.h"

namespace linformer {

/// Scaled dot-product attention of packed sequences of a few hundred tokens, without a pad: queries
/// and keys of each as the plan has them. Head h is
/// columns h D to (h + 1) D of a row. bfloat16 arrays on the device, 16-byte aligned rows; products
/// in bfloat16 with float32 sums, softmax in float32. Queries of a sequence without keys get 0.
struct ShortAttention {
  const void* query_TM;
  const void* key_SM;
  const void* value_SM;
  std::int64_t query_stride;  // elements from one row to the next
  std::int64_t key_value_stride;
  AttentionPlan plan;
  void* out_TM;       // rows of H D
  float* lse_HT;      // log2 of the softmax's denominator, for the backward pass
  std::int64_t rows;  // T
  std::int64_t heads;
  std::int64_t head_width;  // D: 32 or 64
  bool causal;
};
void short_attention_forward(const ShortAttention& in, cudaStream_t stream);

struct ShortAttentionBackward {
  ShortAttention forward;  // with its results
  const void* out_gradient_TM;
  void* query_gradient_TM;
  void* key_gradient_SM;
  void* value_gradient_SM;
  std::int64_t query_gradient_stride;
  std::int64_t key_value_gradient_stride;
};
/// The same bits every time: no sum depends on the order of blocks.
void short_attention_backward(const ShortAttentionBackward& in, cudaStream_t stream);

}  // namespace linformer
