// SPDX-License-Identifier: Apache-2.0
#include "training/optimizer.h"

#include <limits>

#include "base/fault.h"

namespace linformer {

Optimizer::Optimizer(ParameterStore& store, const TrainingConfig& config)
    : store_(store), config_(config) {
  for (const Parameter& parameter : store.parameters()) {
    if (!parameter.is_used) continue;
    moments_.push_back(
        {&parameter, at::zeros_like(parameter.master), at::zeros_like(parameter.master)});
    moments_.back().exp_avg.set_requires_grad(false);
    moments_.back().exp_avg_sq.set_requires_grad(false);
    masters_.push_back(parameter.master);
    exp_avgs_.push_back(moments_.back().exp_avg);
    exp_avg_sqs_.push_back(moments_.back().exp_avg_sq);
    step_tensors_.push_back(at::zeros({}, at::TensorOptions(at::kFloat).device(store.device())));
  }
}

void Optimizer::set_steps(std::int64_t steps) {
  steps_ = steps;
  for (at::Tensor& tensor : step_tensors_) tensor.fill_(static_cast<double>(steps));
}

std::vector<at::Tensor> Optimizer::take_gradients() {
  std::vector<at::Tensor> gradients;
  gradients.reserve(moments_.size());
  for (const Moments& moment : moments_) {
    const at::Tensor& gradient = moment.parameter->compute.grad();
    // A parameter outside the graph of this batch counts as a zero gradient.
    gradients.push_back(gradient.defined() ? gradient.to(moment.parameter->master.scalar_type())
                                           : at::zeros_like(moment.exp_avg));
  }
  if (fault_nan("gradient")) gradients.front().fill_(std::numeric_limits<double>::quiet_NaN());
  return gradients;
}

StepOutcome Optimizer::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients = take_gradients();
  const at::Tensor norms_P = at::stack(at::_foreach_norm(gradients, 2));
  const at::Tensor norm = norms_P.norm();
  if (config_.gradient_clip > 0) {
    // min(1, clip / norm), on the device; NaN stays NaN.
    const at::Tensor factor = (norm + 1e-6).reciprocal().mul(config_.gradient_clip).clamp_max(1.0);
    at::_foreach_mul_(gradients, factor);
  }
  const std::optional<at::Tensor> found_inf = norm.isfinite().logical_not().to(at::kFloat);
  const double weight_decay = config_.weight_decay;
  at::_foreach_add_(step_tensors_, 1);
  if (config_.optimizer == OptimizerKind::kAdam) {
    at::_fused_adam_(masters_, gradients, exp_avgs_, exp_avg_sqs_, {}, step_tensors_, learning_rate,
                     config_.beta1, config_.beta2, weight_decay, config_.epsilon, /*amsgrad=*/false,
                     /*maximize=*/false, /*grad_scale=*/std::nullopt, found_inf);
  } else {
    at::_fused_adamw_(masters_, gradients, exp_avgs_, exp_avg_sqs_, {}, step_tensors_, learning_rate,
                      config_.beta1, config_.beta2, weight_decay, config_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false, /*grad_scale=*/std::nullopt, found_inf);
  }
  ++steps_;
  store_.refresh_shadows();
  store_.clear_gradients();
  return {norm, norms_P};
}

std::string Optimizer::first_non_finite(const StepOutcome& outcome) const {
  const at::Tensor is_bad = outcome.gradient_norms_P.isfinite().logical_not().to(at::kCPU);
  for (std::int64_t i = 0; i < is_bad.size(0); ++i) {
    if (is_bad[i].item<bool>()) return moments_[static_cast<std::size_t>(i)].parameter->name;
  }
  return "the whole model";
}

}  // namespace linformer
