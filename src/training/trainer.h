// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/run_config.h"
#include "data/batch_loader.h"
#include "data/pair_set.h"
#include "model/transformer.h"
#include "tracking/record.h"
#include "training/checkpoint_writer.h"
#include "training/corpus_loss.h"
#include "training/lr_schedule.h"
#include "training/step_runner.h"
#include "training/train_state.h"

namespace linformer {

/// Scores of greedy translations of the validation set.
struct TranslationScores {
  double bleu = 0;
  double chrf = 0;
  std::string sample;  // a translation or two, for people
};

/// What a trainer works on. Everything outlives it.
struct TrainerParts {
  const RunConfig& config;
  const std::string& config_yaml;
  const std::string& tokenizer_json;
  const RunFingerprint& fingerprint;
  const std::string& run_directory;
  const PairSet& train;
  const PairSet* validation;  // null = none
  ParameterStore& store;
  Transformer& model;
  Optimizer& optimizer;
  Observer& observer;
  at::Device device;
  /// Translates and scores the validation set; empty = training.validation_bleu is off.
  std::function<TranslationScores()> translate_validation;
  /// Told of every committed checkpoint, by the thread that trains.
  std::function<void(const CommitResult&)> on_save;
  WeightAverage* average = nullptr;  // null = training.ema_decay is 0
};

/// How `pairs` are batched, as the configuration has it.
LoaderOptions loader_options(const RunConfig& config, const PairSet& pairs);

/// Runs the loop: steps, validations, checkpoints. Whether something is due is a function of the
/// state alone, so that a run that was stopped anywhere goes on as if it had not been.
class Trainer {
 public:
  Trainer(const TrainerParts& parts, TrainState state);

  /// Trains to the end. On a signal the unfinished step is dropped, the last full one saved, and
  /// Interrupted thrown. Throws DivergenceError (nothing is saved) when a loss, a gradient or a
  /// validation loss is not finite.
  FinalRecord run();

  const TrainState& state() const { return state_; }
  std::int64_t total_steps() const { return total_steps_; }

 private:
  bool is_finished() const;
  bool is_validation_due() const;
  bool is_checkpoint_due() const;
  void run_step();
  void finish_step(const StepSums& sums, const StepOutcome& outcome, double learning_rate,
                   const StepBatches& batches);
  void emit_record(double learning_rate);
  void validate();
  void score(ValidationRecord& record, std::string& sample);
  void judge(const ValidationRecord& record);
  void save();
  StepRecord record(double learning_rate) const;
  double seconds_now() const;

  TrainerParts parts_;
  TrainState state_;
  std::unique_ptr<BatchLoader> loader_;
  CheckpointWriter writer_;
  StepRunner runner_;
  std::int64_t total_steps_ = 0;
  std::int64_t steps_per_epoch_ = 0;
  std::int64_t saved_step_ = -1;
  std::vector<IdPair> validation_pairs_;
  std::chrono::steady_clock::time_point start_;
  double elapsed_before_ = 0;
  double interval_start_seconds_ = 0;
  std::int64_t interval_start_tokens_ = 0;
};

}  // namespace linformer
