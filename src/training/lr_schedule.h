// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "config/run_config.h"

namespace linformer {

/// What a learning rate depends on besides the configuration.
struct LrProgress {
  std::int64_t step = 0;             // optimizer steps done: the rate of the step to come
  std::int64_t total_steps = 0;      // of the whole run (cosine)
  std::int64_t epochs_done = 0;      // whole epochs (compatibility)
  std::int64_t steps_per_epoch = 0;  // (compatibility)
  std::int64_t plateau_reductions = 0;
};

/// A pure function; its test is a table. Schedules, with W = lr_scheduler.warmup_steps, s = step +
/// 1 and linear warm-up lr s / W:
///   inverse_sqrt lr sqrt(W / s); cosine from lr to min_lr at total_steps; constant lr; plateau lr
///   / 2^reductions, at least min_lr; noam factor M^-0.5 min(s^-0.5, s W^-1.5) (Vaswani et al.
///   2017, sec. 5.3).
/// Compatibility mode: lr (0.001 + 0.999 min(step, W) / W), then one cosine step t after each epoch
/// that ended beyond W: min_lr + (lr - min_lr) (1 + cos(pi t / T)) / 2; with restarts t and T as in
/// warm restarts; without cosine lr / 2^reductions.
double learning_rate_at(const RunConfig& config, const LrProgress& progress);

}  // namespace linformer
