// SPDX-License-Identifier: Apache-2.0
#include "training/step_runner.h"

namespace linformer {

StepRunner::StepRunner(Transformer& model, ParameterStore& store, Optimizer& optimizer,
                       const RunConfig& config)
    : model_(model),
      store_(store),
      optimizer_(optimizer),
      seed_(config.seed),
      label_smoothing_(config.training.label_smoothing) {
  if (PackedStep::supports(config.model, store)) {
    packed_ = std::make_unique<PackedStep>(model, store, optimizer, config);
  }
}

std::pair<StepSums, StepOutcome> StepRunner::run(const StepBatches& batches, std::int64_t step,
                                                 double learning_rate) {
  seed_dropout(seed_, step);
  if (packed_ != nullptr && batches.batches.size() == 1) {
    return packed_->run(batches.batches.front(), learning_rate);
  }
  const StepSums sums = accumulate_gradients(model_, batches, label_smoothing_, store_.device());
  return {sums, optimizer_.step(learning_rate)};
}

}  // namespace linformer
