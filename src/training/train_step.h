// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "data/batch_loader.h"
#include "model/transformer.h"

namespace linformer {

/// Sums of one step, as scalars on the device.
struct StepSums {
  at::Tensor nll_sum;  // nats of all target tokens, without smoothing
  std::int64_t source_tokens = 0;
  std::int64_t target_tokens = 0;
};

/// Forward and backward of the batches of one step; gradients are left in the model's parameters:
/// those of the label-smoothed cross-entropy averaged over all target tokens of the step.
StepSums accumulate_gradients(Transformer& model, const StepBatches& batches,
                              double label_smoothing, at::Device device);

/// Makes dropout a function of the run's seed and the step.
void seed_dropout(std::uint64_t seed, std::int64_t step);

}  // namespace linformer
