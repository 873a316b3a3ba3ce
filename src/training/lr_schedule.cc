// SPDX-License-Identifier: Apache-2.0
#include "training/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace linformer {
namespace {

double halved(double rate, std::int64_t reductions, double floor) {
  return std::max(floor, std::ldexp(rate, static_cast<int>(-reductions)));
}

double cosine(double high, double low, double part) {
  return low + (high - low) * (1.0 + std::cos(std::numbers::pi * part)) / 2.0;
}

double compatibility_rate(const TrainingConfig& training, const LrProgress& progress) {
  const LrSchedulerConfig& scheduler = training.lr_scheduler;
  const std::int64_t warmup = scheduler.warmup_steps;
  const double base = training.learning_rate;
  if (progress.step < warmup) {
    return base *
           (0.001 + 0.999 * static_cast<double>(progress.step) / static_cast<double>(warmup));
  }
  if (!scheduler.cosine_annealing)
    return halved(base, progress.plateau_reductions, scheduler.min_lr);
  // Epochs that ended before the warm-up did take no cosine step.
  const std::int64_t in_warmup =
      progress.steps_per_epoch > 0 ? warmup / progress.steps_per_epoch : progress.epochs_done;
  auto t = static_cast<double>(std::max<std::int64_t>(0, progress.epochs_done - in_warmup));
  auto period = static_cast<double>(scheduler.cosine_tmax);
  if (scheduler.cosine_restart) {
    while (t >= period) {
      t -= period;
      period *= scheduler.cosine_factor;
    }
  }
  return cosine(base, scheduler.min_lr, t / period);
}

}  // namespace

double learning_rate_at(const RunConfig& config, const LrProgress& progress) {
  const TrainingConfig& training = config.training;
  if (config.model.compatibility) return compatibility_rate(training, progress);
  const double base = training.learning_rate;
  const auto step = static_cast<double>(progress.step + 1);
  const auto warmup = static_cast<double>(training.lr_scheduler.warmup_steps);
  if (training.schedule == Schedule::kNoam) {
    const double rise = warmup > 0 ? step * std::pow(warmup, -1.5) : std::pow(step, -0.5);
    return training.noam_factor / std::sqrt(static_cast<double>(config.model.model_dim)) *
           std::min(std::pow(step, -0.5), rise);
  }
  if (step < warmup) return base * step / warmup;
  switch (training.schedule) {
    case Schedule::kInverseSqrt:
      return base * std::sqrt(std::max(warmup, 1.0) / step);
    case Schedule::kCosine: {
      const double length = std::max(1.0, static_cast<double>(progress.total_steps) - warmup);
      return cosine(base, training.lr_scheduler.min_lr, std::min(1.0, (step - warmup) / length));
    }
    case Schedule::kPlateau:
      return halved(base, progress.plateau_reductions, training.lr_scheduler.min_lr);
    case Schedule::kNoam:
    case Schedule::kConstant:
      break;
  }
  return base;
}

}  // namespace linformer
