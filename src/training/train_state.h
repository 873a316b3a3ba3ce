// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "storage/checkpoint_directory.h"
#include "training/optimizer.h"
#include "training/weight_average.h"
#include "training/weights.h"

namespace linformer {

/// Where a run stands after a whole number of optimizer steps. With weights and moments it is all
/// that the next step depends on: the order of an epoch is f(seed, epoch) and dropout is reseeded
/// by f(seed, step).
struct TrainState {
  std::int64_t step = 0;
  std::int64_t epoch = 0;   // 0-based, the epoch of the next batch
  std::int64_t batch = 0;   // next batch of that epoch
  std::int64_t sample = 0;  // pairs of that epoch that are done
  std::int64_t source_tokens = 0;
  std::int64_t target_tokens = 0;
  double elapsed_seconds = 0;

  std::int64_t validated_step = 0;
  std::int64_t best_step = 0;  // 0 = no validation so far
  double best_value = 0;
  std::int64_t without_better = 0;  // validations since the best
  double plateau_best = 0;          // lowest validation loss; meaningful once validated_step > 0
  std::int64_t plateau_count = 0;
  std::int64_t plateau_reductions = 0;

  /// Since the last record in metrics.jsonl.
  double interval_nll = 0;
  std::int64_t interval_tokens = 0;
  double interval_norm = 0;  // gradient norm of the last step
};

/// What has to be the same for an exact resume.
struct RunFingerprint {
  std::string tokenizer_digest;
  std::string data_digest;
  std::string environment;  // device, dtype, threads, processor, torch version
};

/// Everything that goes into one generation. Where weights are averaged, the average is what its
/// model.safetensors holds; those that are trained are with the moments.
struct GenerationInputs {
  const ParameterStore& store;
  const Optimizer& optimizer;
  const TrainState& state;
  const RunFingerprint& fingerprint;
  const std::string& config_yaml;
  const std::string& tokenizer_json;
  const WeightAverage* average = nullptr;  // null = the weights are not averaged
};

/// A copy on the host of everything that goes into one generation, so that training may go on while
/// it is written. Its memory serves the next copy.
class GenerationSnapshot {
 public:
  /// Takes the memory that take() will need, once, without a look at any value.
  void reserve(const ParameterStore& store, const Optimizer& optimizer, bool has_average);
  void take(const GenerationInputs& inputs);
  /// Commits it as step-N of the run, verified, and prunes older ones (see
  /// storage/checkpoint_transaction.h). Throws as a CheckpointTransaction does.
  CommitResult commit(const std::string& run_directory, std::int64_t keep) const;

 private:
  std::int64_t step_ = 0;
  HostTensors weights_;
  HostTensors moments_;
  std::string state_json_;
  std::string config_yaml_;
  std::string tokenizer_json_;
};

/// Takes a snapshot and commits it.
CommitResult save_generation(const std::string& run_directory, const GenerationInputs& inputs,
                             std::int64_t keep);

/// Restores weights, moments and state. Throws CheckpointError naming what does not fit: another
/// tokenizer, other data, another environment (unless `allow_inexact`, which is reported through
/// the return value's text, empty = exact).
std::string restore_generation(const Generation& generation, const RunFingerprint& fingerprint,
                               bool allow_inexact, ParameterStore& store, Optimizer& optimizer,
                               TrainState& state, WeightAverage* average = nullptr);

}  // namespace linformer
