// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>

namespace linformer {

/// The Linformer's projection of packed keys and values along their length: sequence b, n tokens
/// from row start_B1[b], becomes min(n, K) slots (all K with `all_slots`) from row
/// slot_start_B1[b]:
///
///     K'[i] = f_i sum_j E[i, j] K[j],  V'[i] = f_i sum_j F[i, j] V[j],  0 <= j < n
///
/// f_i = 1 / #{j < n: j mod K = i}, or 1 with `all_slots` (compatibility mode). bfloat16 arrays on
/// the device, sums in float32. Keys are columns 0..M-1 of kv, values columns M..2M-1.
struct LengthProjection {
  const void* kv_T2M;
  std::int64_t kv_stride;  // elements from one row to the next
  const void* E_KN;
  const void* F_KN;
  const std::int32_t* start_B1;
  const std::int32_t* slot_start_B1;
  void* slots_S2M;
  std::int64_t batch;
  std::int64_t width;       // M, a multiple of 64
  std::int64_t slots;       // K
  std::int64_t max_length;  // N: columns of E and F, at least the longest sequence
  bool all_slots;
};
/// Where the slots of each of `batch` sequences begin, and behind the last their number.
void find_slot_starts(const std::int32_t* start_B1, std::int64_t batch, std::int64_t slots,
                      bool all_slots, std::int32_t* slot_start_B1, cudaStream_t stream);
void project_length(const LengthProjection& in, cudaStream_t stream);

struct LengthProjectionBackward {
  LengthProjection forward;
  const void* slots_gradient_S2M;
  void* kv_gradient_T2M;  // rows of no sequence are left as they are
  std::int64_t kv_gradient_stride;
  void* E_gradient_KN;
  void* F_gradient_KN;
  float* partial;  // length_projection_partial_floats
};
std::int64_t length_projection_partial_floats(const LengthProjection& in);
/// The two halves of the gradient need nothing of one another. The same bits every time.
void project_length_key_value_gradient(const LengthProjectionBackward& in, cudaStream_t stream);
/// What each sequence adds to the gradients of E and F, in `partial`; then the gradients, of many
/// projections together.
void project_length_weight_parts(const LengthProjectionBackward& in, cudaStream_t stream);
void project_length_weight_gradients(std::span<const LengthProjectionBackward> projections,
                                     cudaStream_t stream);

}  // namespace linformer
