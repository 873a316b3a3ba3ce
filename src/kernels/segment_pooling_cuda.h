// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace linformer {

/// Pools packed keys and values within contiguous segments: token j of n goes to slot j where
/// n <= K, else to floor(j K / n); a slot is the mean of its tokens' keys (values), weighted for
/// each head by the softmax of their scores. bfloat16 arrays on the device, arithmetic in float32.
/// Keys are columns 0..M-1 of kv, values M..2M-1; sequence b has rows from start_B1[b], its min(n,
/// K) slots rows from slot_start_B1[b]. Rows of keys and values are 16-byte aligned.
struct SegmentPooling {
  const void* kv_T2M;
  std::int64_t kv_stride;  // elements from one row to the next
  const void* scores_TH;
  const std::int32_t* start_B1;
  const std::int32_t* slot_start_B1;
  void* pooled_S2M;
  std::int64_t batch;
  std::int64_t slots;       // K
  std::int64_t heads;       // at most 16
  std::int64_t head_width;  // D = M / heads, a multiple of 16 up to 256
};
void pool_segments(const SegmentPooling& in, cudaStream_t stream);

struct SegmentPoolingBackward {
  SegmentPooling forward;  // with its result
  const void* pooled_gradient_S2M;
  void* kv_gradient_T2M;
  std::int64_t kv_gradient_stride;
  void* scores_gradient_TH;
};
void pool_segments_backward(const SegmentPoolingBackward& in, cudaStream_t stream);

}  // namespace linformer
