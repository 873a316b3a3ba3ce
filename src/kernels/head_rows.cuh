// SPDX-License-Identifier: Apache-2.0
// What is remembered of a row's logits, for head_consumer_hopper.cu.
#pragma once

#include "kernels/hopper.cuh"

namespace linformer::hopper {

/// What is known of a row's logits. `largest` is never NaN; where a logit is, `sum` is.
struct RowState {
  static constexpr int kFloats = 6;

  float largest = -INFINITY;
  float sum = 0;                 // of exp(logit - largest)
  float best_logit = -INFINITY;  // of the classes that may be chosen
  int best = 0;
  float at_target = -INFINITY;
  float total = 0;  // of the logits, where they are stored

  __device__ void merge(const RowState& other) {
    const float larger = fmaxf(largest, other.largest);
    const auto factor = [&](float x) {
      return x == larger ? 1.0F : exp2_fast((x - larger) * kLog2E);
    };
    sum = sum * factor(largest) + other.sum * factor(other.largest);
    largest = larger;
    const bool is_other =
        other.best_logit > best_logit || (other.best_logit == best_logit && other.best < best);
    best = is_other ? other.best : best;
    best_logit = fmaxf(best_logit, other.best_logit);
    at_target = fmaxf(at_target, other.at_target);
    total += other.total;
  }
  /// With the lane whose number differs in `bit`.
  __device__ void merge_lane(int bit) {
    const auto of_other = [&](auto x) { return __shfl_xor_sync(0xFFFFFFFFU, x, bit); };
    RowState other;
    other.largest = of_other(largest);
    other.sum = of_other(sum);
    other.best_logit = of_other(best_logit);
    other.best = of_other(best);
    other.at_target = of_other(at_target);
    other.total = of_other(total);
    merge(other);
  }
  __device__ void save(float* out) const {
    out[0] = largest;
    out[1] = sum;
    out[2] = best_logit;
    out[3] = __int_as_float(best);
    out[4] = at_target;
    out[5] = total;
  }
  __device__ static RowState saved(const float* in) {
    RowState out;
    out.largest = in[0];
    out.sum = in[1];
    out.best_logit = in[2];
    out.best = __float_as_int(in[3]);
    out.at_target = in[4];
    out.total = in[5];
    return out;
  }
};

}  // namespace linformer::hopper
