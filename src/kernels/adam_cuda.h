// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>

namespace linformer {

/// One parameter of `size` elements on the device.
struct AdamTensor {
  const void* gradient;  // bfloat16; null counts as zero
  float* master;
  float* exp_avg;
  float* exp_avg_sq;
  void* shadow;  // bfloat16: the rounded master
  std::int64_t size;
  float lr_scale;
};

struct AdamSettings {
  float beta1;
  float beta2;
  float epsilon;
  float weight_decay;
  bool is_decoupled;    // AdamW
  float gradient_clip;  // largest norm of the whole gradient; 0 = no limit
};

/// Numbers on the device that a step reads and writes.
struct AdamScalars {
  const float* learning_rate;
  float* steps;     // of before; counted up where the gradient is finite
  float* norms_P;   // of each parameter's gradient
  float* norm;      // of all; not finite = nothing was changed, steps, moments and weights
  float* factors;   // scratch: 3
  float* partials;  // scratch: adam_partial_floats(tensors)
};
std::int64_t adam_partial_floats(std::span<const AdamTensor> tensors);

/// One step of Adam (Kingma and Ba 2015) or AdamW over all parameters, clipped by the norm of the
/// whole gradient. The same bits every time: sums are taken in a fixed order.
void adam_step(std::span<const AdamTensor> tensors, const AdamSettings& settings,
               const AdamScalars& scalars, cudaStream_t stream);

}  // namespace linformer
