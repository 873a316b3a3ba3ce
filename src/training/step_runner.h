// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "training/packed_step.h"

namespace linformer {

/// Optimizer steps, the fastest way that device, dtype and model allow: packed and recorded
/// (PackedStep) where a step is one batch, else forward and backward of each batch in turn.
class StepRunner {
 public:
  StepRunner(Transformer& model, ParameterStore& store, Optimizer& optimizer,
             const RunConfig& config);

  /// The step after `step` steps. Dropout is a function of the run's seed and `step`.
  std::pair<StepSums, StepOutcome> run(const StepBatches& batches, std::int64_t step,
                                       double learning_rate);

 private:
  Transformer& model_;
  ParameterStore& store_;
  Optimizer& optimizer_;
  std::uint64_t seed_;
  double label_smoothing_;
  std::unique_ptr<PackedStep> packed_;  // null where it is not supported
};

}  // namespace linformer
