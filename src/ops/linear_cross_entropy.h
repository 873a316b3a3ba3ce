// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

struct LinearCrossEntropyInputs {
  at::Tensor hidden_TM;
  at::Tensor weight_VM;
  at::Tensor bias_V;              // undefined = none
  at::Tensor targets_T;           // int64, 0 <= target < V; or int32, negative = a row without one
  double label_smoothing = 0.0;   // spread uniformly over all V classes
  double scale = 1.0;             // factor of `loss`, e.g. 1 / tokens of the whole step
  at::Tensor device_scale;        // float32 scalar on the device, in place of `scale`
  bool is_root = false;           // backward() starts at `loss`: its gradient is known to be 1
  bool is_weight_shared = false;  // the weight gets gradients from elsewhere as well
};

struct LinearCrossEntropyResult {
  at::Tensor loss;     // scalar, float32 or float64: scale * sum over tokens of the smoothed
                       // cross-entropy; differentiable
  at::Tensor nll_sum;  // scalar, the same type: sum over tokens of -log p(target), not smoothed,
                       // not scaled
};

/// The head's product and the label-smoothed cross-entropy in one op, in chunks of rows: neither
/// the [T, V] logits nor their gradient ever exist whole. Gradients of hidden, weight and bias are
/// computed in the forward pass when they are wanted. hidden and weight: float32, bfloat16 or
/// float64 of one type and device. Logits are normalised in float32 (float64). Rows without a
/// target and `device_scale` are for bfloat16 on a GPU with an accelerator, where a kernel turns
/// the logits into their gradient in place.
LinearCrossEntropyResult linear_cross_entropy(const LinearCrossEntropyInputs& inputs);

}  // namespace linformer
