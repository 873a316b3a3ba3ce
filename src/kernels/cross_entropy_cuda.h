// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace linformer {

/// Cross-entropy with label smoothing of C rows of logits over V classes:
/// (1 - s) (lse - x_label) + s (lse - mean x). bfloat16 logits on the device; sums in float32.
struct CrossEntropyRows {
  void* logits_CV;              // 16-byte aligned; with `wants_gradient` becomes scale * gradient
  const std::int32_t* label_C;  // negative: the row counts nothing and its gradient is 0
  const float* scale;           // one number on the device
  float* nll_C;                 // lse - x_label
  float* loss_C;                // with smoothing, times scale
  std::int64_t rows;
  std::int64_t classes;  // a multiple of 8
  float smoothing;
  bool wants_gradient;
};
void cross_entropy_rows(const CrossEntropyRows& in, cudaStream_t stream);

/// The same where the rows' log-sum-exp and totals are known (kernels/head_consumer_hopper.h): each
/// logit is read once, and the sums of the gradient's columns come with it.
struct CrossEntropyGradient {
  void* logits_CV;              // 16-byte aligned; becomes scale * gradient
  const std::int32_t* label_C;  // negative: the row counts nothing and its gradient is 0
  const float* scale;           // one number on the device
  const float* lse_C;
  const float* nll_C;
  const float* total_C;  // of the row's logits
  float* loss_C;
  float* partial;         // cross_entropy_partial_floats of them
  void* bias_gradient_V;  // bfloat16; null: not wanted
  std::int64_t rows;
  std::int64_t classes;  // a multiple of 8
  float smoothing;
};
std::int64_t cross_entropy_partial_floats(const CrossEntropyGradient& in);
/// The same bits every time.
void cross_entropy_gradient(const CrossEntropyGradient& in, cudaStream_t stream);

}  // namespace linformer
