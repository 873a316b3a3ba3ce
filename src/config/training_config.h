// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "config/field.h"

namespace linformer {

enum class Schedule { kNoam, kCosine, kInverseSqrt, kPlateau, kConstant };
template <>
struct EnumNames<Schedule> {
  static constexpr std::array<std::pair<Schedule, std::string_view>, 5> kValues{
      {{Schedule::kNoam, "noam"},
       {Schedule::kCosine, "cosine"},
       {Schedule::kInverseSqrt, "inverse_sqrt"},
       {Schedule::kPlateau, "plateau"},
       {Schedule::kConstant, "constant"}}};
};

enum class OptimizerKind { kAdam, kAdamW };
template <>
struct EnumNames<OptimizerKind> {
  static constexpr std::array<std::pair<OptimizerKind, std::string_view>, 2> kValues{
      {{OptimizerKind::kAdam, "adam"}, {OptimizerKind::kAdamW, "adamw"}}};
};

enum class ValidationBleu { kOff, k13a, kNone };
template <>
struct EnumNames<ValidationBleu> {
  static constexpr std::array<std::pair<ValidationBleu, std::string_view>, 3> kValues{
      {{ValidationBleu::kOff, "off"},
       {ValidationBleu::k13a, "13a"},
       {ValidationBleu::kNone, "none"}}};
};

enum class Metric { kLoss, kBleu };
template <>
struct EnumNames<Metric> {
  static constexpr std::array<std::pair<Metric, std::string_view>, 2> kValues{
      {{Metric::kLoss, "loss"}, {Metric::kBleu, "bleu"}}};
};

/// The section lr_scheduler of the original's YAML files; warmup_steps and min_lr serve every
/// schedule.
struct LrSchedulerConfig {
  std::int64_t warmup_steps = 4000;
  double min_lr = 0.0;
  bool cosine_annealing = true;
  std::int64_t cosine_tmax = 50;
  double cosine_factor = 1.0;
  bool cosine_restart = false;

  static void visit_fields(auto& self, auto& field) {
    field("warmup_steps", self.warmup_steps, Original{}, Range{0, 1e9},
          "Optimizer steps of linear warm-up.");
    field("min_lr", self.min_lr, Original{}, Range{0, 1e3},
          "Lowest learning rate of cosine and plateau.");
    field("cosine_annealing", self.cosine_annealing, Original{},
          "Compatibility: cosine by epoch; false = halve on a plateau.");
    field("cosine_tmax", self.cosine_tmax, Original{}, Range{1, 1e9},
          "Compatibility: epochs of one cosine half-wave (T_max, T_0).");
    field("cosine_factor", self.cosine_factor, Original{}, Range{0, 1e6},
          "Compatibility: growth of the period after a warm restart, a whole number >= 1.");
    field("cosine_restart", self.cosine_restart, Original{},
          "Compatibility: cosine with warm restarts.");
  }
};

struct EarlyStoppingConfig {
  Metric metric = Metric::kLoss;
  std::int64_t patience = 0;

  static void visit_fields(auto& self, auto& field) {
    field("metric", self.metric,
          "Validation metric that decides what is best: loss (lower) or bleu (higher).");
    field("patience", self.patience, MayChange{}, Range{0, 1e9},
          "Stop after so many validations without a better one; 0 = never.");
  }
};

/// How a model is trained.
struct TrainingConfig {
  std::int64_t epochs = 10;
  std::int64_t max_steps = 0;
  double max_minutes = 0;
  std::int64_t batch_size = 0;  // 0 = batch_tokens decides
  std::int64_t batch_tokens = 8192;
  bool fixed_capacity = false;
  OptimizerKind optimizer = OptimizerKind::kAdam;
  double learning_rate = 7e-4;
  double projection_lr_scale = 1.0;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-9;
  double weight_decay = 0.0;
  Schedule schedule = Schedule::kInverseSqrt;
  double noam_factor = 1.0;
  LrSchedulerConfig lr_scheduler;
  double label_smoothing = 0.1;
  double gradient_clip = 1.0;
  std::int64_t accumulate = 1;
  std::int64_t average_last = 0;
  double ema_decay = 0;
  std::int64_t validate_every_steps = 0;
  ValidationBleu validation_bleu = ValidationBleu::kOff;
  EarlyStoppingConfig early_stopping;
  std::int64_t log_every = 50;
  std::int64_t data_timeout_seconds = 60;

  static void visit_fields(auto& self, auto& field) {
    field("epochs", self.epochs, Original{}, MayChange{}, Range{1, 1e6},
          "Passes over the training data in all, also after a resume.");
    field("max_steps", self.max_steps, MayChange{}, Range{0, 1e9},
          "Stop after so many optimizer steps; 0 = epochs alone decide.");
    field("max_minutes", self.max_minutes, Range{0, 1e6},
          "Stop after so many minutes of training; 0 = no limit.");
    field("batch_size", self.batch_size, Original{}, Range{1, 1e6},
          "Sentence pairs a batch; left out, batch_tokens decides (compatibility: 88).");
    field("batch_tokens", self.batch_tokens, Range{16, 1e8},
          "Largest number of real tokens of a batch on either side.");
    field("fixed_capacity", self.fixed_capacity,
          "Batches of one shape, packed from unsorted pairs and padded at the end.");
    field("optimizer", self.optimizer, "adam or adamw (decoupled weight decay).");
    field("learning_rate", self.learning_rate, Original{}, Range{0, 1e3, true},
          "Peak learning rate; schedule noam computes its own.");
    field("projection_lr_scale", self.projection_lr_scale, Range{0, 1e3},
          "Factor on the learning rate of the Linformer's E and F; 0 keeps them as they start.");
    field("beta1", self.beta1, Range{0, 0.999999}, "Adam: decay of the first moment.");
    field("beta2", self.beta2, Range{0, 0.999999}, "Adam: decay of the second moment.");
    field("epsilon", self.epsilon, Range{0, 1, true},
          "Adam: added to the square root of the second moment.");
    field("weight_decay", self.weight_decay, Range{0, 1}, "Weight decay.");
    field("schedule", self.schedule,
          "Learning rate after warm-up: noam, cosine, inverse_sqrt, plateau, constant.");
    field("noam_factor", self.noam_factor, Range{0, 1e3, true},
          "noam: factor before model_dim^-0.5 * min(step^-0.5, step * warmup^-1.5).");
    field.section("lr_scheduler", self.lr_scheduler,
                  "Warm-up, floor and the original's scheduler.");
    field("label_smoothing", self.label_smoothing, Range{0, 0.99},
          "Probability spread evenly over the whole vocabulary.");
    field("gradient_clip", self.gradient_clip, Range{0, 1e6},
          "Largest norm of the whole gradient; 0 = no limit.");
    field("accumulate", self.accumulate, Range{1, 1e4}, "Batches whose gradients make one step.");
    field("average_last", self.average_last, MayChange{}, Range{0, 1000},
          "Average the weights of so many last checkpoints at the end; 0 = no.");
    field("ema_decay", self.ema_decay, Range{0, 0.9999999},
          "Average the weights after every step, the older ones times this; the average is "
          "validated, saved and translates; 0 = no.");
    field("validate_every_steps", self.validate_every_steps, Range{0, 1e9},
          "Steps between validations; 0 = once an epoch.");
    field("validation_bleu", self.validation_bleu,
          "BLEU of greedy translations at validation: off, 13a, or none (text is tokenized "
          "already).");
    field.section("early_stopping", self.early_stopping, "When to stop early, and what is best.");
    field("log_every", self.log_every, MayChange{}, Range{1, 1e6},
          "Steps between records in metrics.jsonl and plain status lines.");
    field("data_timeout_seconds", self.data_timeout_seconds, MayChange{}, Range{1, 1e6},
          "Seconds without a new batch after which the data loader counts as stalled (exit 6).");
  }
};

}  // namespace linformer
