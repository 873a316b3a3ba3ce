// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/training_config.h"
#include "model/parameter_store.h"
#include "ops/accelerator.h"

namespace linformer {

/// What one optimizer step reports, as scalars on the device: read them when a look costs nothing.
struct StepOutcome {
  at::Tensor gradient_norm;     // of the whole gradient, before clipping
  at::Tensor gradient_norms_P;  // of each trained parameter
};

/// Adam or AdamW on the float32 masters of a store, with clipping of the whole gradient's norm: by
/// ATen's fused kernels, or in bfloat16 on a GPU with an accelerator by ours. Parameters that never
/// get a gradient have no moments.
class Optimizer {
 public:
  Optimizer(ParameterStore& store, const TrainingConfig& config);

  /// Applies the gradients that backward left in the store and drops them. A non-finite gradient
  /// leaves weights and moments as they are; its norm says so. Shadows are refreshed.
  StepOutcome step(double learning_rate);

  /// The parts of a step where has_apply(): the rate, written to the device; the work on the
  /// device, which a graph may record; and the count on the host.
  bool has_apply() const { return fused_.has_value(); }
  void set_learning_rate(double learning_rate);
  void apply();
  void count_step() { ++steps_; }
  /// Of the last apply().
  StepOutcome outcome() const { return {fused_->norm, fused_->norms_P}; }

  /// Name of the first parameter whose gradient was not finite. Waits for the device.
  std::string first_non_finite(const StepOutcome& outcome) const;

  std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps);

  struct Moments {
    const Parameter* parameter;
    at::Tensor exp_avg;
    at::Tensor exp_avg_sq;
  };
  /// One for each trained parameter, in the store's order.
  const std::vector<Moments>& moments() const { return moments_; }

 private:
  FusedAdam make_fused() const;
  std::vector<at::Tensor> take_gradients();

  // The parameters of one learning rate, side by side.
  struct Group {
    double lr_scale;
    std::vector<std::size_t> members;  // in moments_
    std::vector<at::Tensor> masters;
    std::vector<at::Tensor> exp_avgs;
    std::vector<at::Tensor> exp_avg_sqs;
    std::vector<at::Tensor> step_tensors;
  };
  Group& group_of(const Parameter& parameter);

  ParameterStore& store_;
  TrainingConfig config_;
  std::vector<Moments> moments_;
  std::vector<Group> groups_;
  std::optional<FusedAdam> fused_;  // where the accelerator does it
  std::int64_t steps_ = 0;
};

}  // namespace linformer
