// SPDX-License-Identifier: Apache-2.0
#include "training/optimizer.h"

#include <cmath>
#include <limits>

#include "base/fault.h"

namespace linformer {
namespace {

// The signature that ATen's fused Adam and AdamW share.
using FusedUpdate = void(at::TensorList parameters, at::TensorList gradients,
                         at::TensorList exp_avgs, at::TensorList exp_avg_sqs,
                         at::TensorList max_exp_avg_sqs, at::TensorList steps, double learning_rate,
                         double beta1, double beta2, double weight_decay, double epsilon,
                         bool amsgrad, bool maximize, const std::optional<at::Tensor>& grad_scale,
                         const std::optional<at::Tensor>& found_inf);

}  // namespace

Optimizer::Optimizer(ParameterStore& store, const TrainingConfig& config)
    : store_(store), config_(config) {
  for (const Parameter& parameter : store.parameters()) {
    if (!parameter.is_used) continue;
    moments_.push_back(
        {&parameter, at::zeros_like(parameter.master), at::zeros_like(parameter.master)});
    moments_.back().exp_avg.set_requires_grad(false);
    moments_.back().exp_avg_sq.set_requires_grad(false);
    Group& group = group_of(parameter);
    group.members.push_back(moments_.size() - 1);
    group.masters.push_back(parameter.master);
    group.exp_avgs.push_back(moments_.back().exp_avg);
    group.exp_avg_sqs.push_back(moments_.back().exp_avg_sq);
    group.step_tensors.push_back(
        at::zeros({}, at::TensorOptions(at::kFloat).device(store.device())));
  }
  if (store.dtype() == at::kBFloat16 && accelerator_of(store.device()) != nullptr) {
    fused_ = make_fused();
  }
}

FusedAdam Optimizer::make_fused() const {
  const auto options = at::TensorOptions(at::kFloat).device(store_.device());
  FusedAdam out{.members = std::vector<FusedAdam::Member>(moments_.size()),
                .beta1 = config_.beta1,
                .beta2 = config_.beta2,
                .epsilon = config_.epsilon,
                .weight_decay = config_.weight_decay,
                .is_decoupled = config_.optimizer == OptimizerKind::kAdamW,
                .gradient_clip = config_.gradient_clip,
                .learning_rate = at::zeros({}, options),
                .steps = at::zeros({}, options),
                .norms_P = at::zeros({static_cast<std::int64_t>(moments_.size())}, options),
                .norm = at::zeros({}, options)};
  for (const Group& group : groups_) {
    for (const std::size_t i : group.members) {
      const Moments& moment = moments_[i];
      out.members[i] = {.gradient = {},
                        .master = moment.parameter->master,
                        .exp_avg = moment.exp_avg,
                        .exp_avg_sq = moment.exp_avg_sq,
                        .shadow = moment.parameter->compute,
                        .lr_scale = group.lr_scale};
    }
  }
  return out;
}

Optimizer::Group& Optimizer::group_of(const Parameter& parameter) {
  const bool is_projection =
      parameter.name.ends_with(".E.weight") || parameter.name.ends_with(".F.weight");
  const double lr_scale = is_projection ? config_.projection_lr_scale : 1.0;
  for (Group& group : groups_) {
    if (group.lr_scale == lr_scale) return group;
  }
  groups_.push_back({.lr_scale = lr_scale});
  return groups_.back();
}

void Optimizer::set_steps(std::int64_t steps) {
  steps_ = steps;
  for (Group& group : groups_) {
    for (at::Tensor& tensor : group.step_tensors) tensor.fill_(static_cast<double>(steps));
  }
  if (fused_) fused_->steps.fill_(static_cast<double>(steps));
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

void Optimizer::set_learning_rate(double learning_rate) {
  fused_->learning_rate.fill_(learning_rate);
}

void Optimizer::apply() {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < moments_.size(); ++i) {
    fused_->members[i].gradient = moments_[i].parameter->compute.grad();
  }
  accelerator_of(store_.device())->adam_step(*fused_);
  for (FusedAdam::Member& member : fused_->members) member.gradient.reset();
  store_.clear_gradients();
}

StepOutcome Optimizer::step(double learning_rate) {
  if (has_apply()) {
    set_learning_rate(learning_rate);
    count_step();
    apply();
    return outcome();
  }
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
  const auto update = config_.optimizer == OptimizerKind::kAdam
                          ? static_cast<FusedUpdate*>(at::_fused_adam_)
                          : static_cast<FusedUpdate*>(at::_fused_adamw_);
  for (Group& group : groups_) {
    std::vector<at::Tensor> members;
    for (const std::size_t i : group.members) members.push_back(gradients[i]);
    at::_foreach_add_(group.step_tensors, 1);
    update(group.masters, members, group.exp_avgs, group.exp_avg_sqs, {}, group.step_tensors,
           learning_rate * group.lr_scale, config_.beta1, config_.beta2, config_.weight_decay,
           config_.epsilon, /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/std::nullopt,
           found_inf);
  }
  ++steps_;
  if (fault_nan("weights")) groups_.front().masters.front().fill_(std::nan(""));
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
