// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/run_config.h"
#include "data/batch_loader.h"
#include "data/pair_set.h"
#include "linformer/error.h"
#include "model/transformer.h"
#include "ops/device_event.h"
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
  std::shared_ptr<const PairSet> train;
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
  /// Interrupted thrown. Throws DivergenceError (nothing is saved) when a loss, a gradient, a
  /// learning rate, a validation loss or a weight is not finite; WorkerError as BatchLoader;
  /// IoError for a checkpoint that cannot be written, where checkpoint.on_save_error says so and
  /// always for the last one.
  FinalRecord run();

  const TrainState& state() const { return state_; }
  std::int64_t total_steps() const { return total_steps_; }

 private:
  bool is_finished() const;
  bool is_validation_due() const;
  bool is_checkpoint_due() const;
  void run_step();
  /// Counts a step whose work has been started.
  void count_step(const StepSums& sums, const StepOutcome& outcome, double learning_rate,
                  const StepBatches& batches);
  /// Reads losses and norms of all but the `left` last steps. Throws DivergenceError.
  void read_results(std::size_t left);
  void emit_record(double learning_rate);
  void validate();
  void score(ValidationRecord& record, std::string& sample);
  void judge(const ValidationRecord& record);
  double validation_loss();
  void save(bool must_succeed);
  /// Whether the save under way has ended, and how.
  void look_at_save();
  /// Waits for the save under way.
  void settle(bool must_succeed);
  /// Counts it where checkpoint.on_save_error lets the run go on, else throws it.
  void note_failed_save(const IoError& error, bool must_succeed);
  std::string place_of_step() const;
  /// Part of the run that is done, by the limit that comes first.
  double progress() const;
  StepRecord record(double learning_rate) const;
  double seconds_now() const;

  TrainerParts parts_;
  TrainState state_;
  std::unique_ptr<BatchLoader> loader_;
  CheckpointWriter writer_;
  StepRunner runner_;
  /// A step that was started: the device refuses the update itself where something is not finite.
  struct StartedStep {
    LateScalars nll_and_norm;
    StepOutcome outcome;
    std::int64_t target_tokens;
    std::string place;
  };
  std::deque<StartedStep> started_;
  std::int64_t total_steps_ = 0;
  std::int64_t steps_per_epoch_ = 0;
  std::int64_t saved_step_ = -1;
  std::int64_t tried_step_ = -1;  // of the last save, which may have failed
  std::int64_t failed_saves_ = 0;
  std::vector<IdPair> validation_pairs_;
  std::chrono::steady_clock::time_point start_;
  double elapsed_before_ = 0;
  double interval_start_seconds_ = 0;
  std::int64_t interval_start_tokens_ = 0;
};

}  // namespace linformer
