// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>

#include "kernels/dropout.h"
#include "kernels/random_place.h"

namespace linformer {

/// Widths that the kernels below take: multiples of 8 up to this.
constexpr std::int64_t kMaxNormWidth = 1024;

/// Layer norm of x, or of x + dropout(added), over rows of M = `width`. bfloat16 arrays, 16-byte
/// aligned, on the device; statistics in float32.
struct LayerNormForward {
  const void* x_TM;
  const void* added_TM;  // null: none
  const void* weight_M;
  const void* bias_M;
  DropoutMask dropout;  // of `added`, if its threshold is above 0; its key comes from `random`
  RandomPlace random;
  std::uint64_t* dropout_key;  // is set to the key, if there is dropout
  void* sum_TM;                // rounded, of which the norm is taken; null without `added`
  void* out_TM;
  float* mean_T;
  float* rstd_T;  // 1 / sqrt(variance + epsilon)
  std::int64_t rows;
  std::int64_t width;
  float epsilon;
};
void layer_norm_forward(const LayerNormForward& in, cudaStream_t stream);

struct LayerNormBackward {
  const void* gradient_TM;         // of the output
  const void* second_gradient_TM;  // of the output, to be added to the first; null: none
  const void* other_gradient_TM;   // of the sum, from elsewhere; null: none
  const void* x_TM;                // what the norm was taken of
  const void* weight_M;
  const float* mean_T;
  const float* rstd_T;
  DropoutMask dropout;  // as forward
  const std::uint64_t* dropout_key;
  void* x_gradient_TM;
  void* added_gradient_TM;  // with dropout; without, it is that of x
  void* weight_gradient_M;
  void* bias_gradient_M;
  float* partial;  // layer_norm_partial_floats(width)
  std::int64_t rows;
  std::int64_t width;
};
std::int64_t layer_norm_partial_floats(std::int64_t width);
/// The gradient of x, and sums of rows in `partial`.
void layer_norm_backward(const LayerNormBackward& in, cudaStream_t stream);
/// The gradients of weights and biases out of `partial`, of many norms together. The same bits
/// every time: sums over rows are taken in a fixed order.
void layer_norm_parameter_gradients(std::span<const LayerNormBackward> norms, cudaStream_t stream);

}  // namespace linformer
