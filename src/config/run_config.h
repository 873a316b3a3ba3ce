// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "config/field.h"
#include "config/model_config.h"
#include "config/training_config.h"

namespace linformer {

/// What happens to a pair that is longer than data.max_length.
enum class LongPolicy { kDrop, kTruncate, kError };
template <>
struct EnumNames<LongPolicy> {
  static constexpr std::array<std::pair<LongPolicy, std::string_view>, 3> kValues{
      {{LongPolicy::kDrop, "drop"},
       {LongPolicy::kTruncate, "truncate"},
       {LongPolicy::kError, "error"}}};
};

/// Which pairs of a training corpus are meant by a part of it.
enum class DataSplit { kOrdered, kRandom };
template <>
struct EnumNames<DataSplit> {
  static constexpr std::array<std::pair<DataSplit, std::string_view>, 2> kValues{
      {{DataSplit::kOrdered, "ordered"}, {DataSplit::kRandom, "random"}}};
};

/// Where text comes from. A corpus is one file (.csv, .tsv, each also .gz, a token store .lfs or an
/// npz corpus .npz) or a pair of line files.
struct DataConfig {
  std::string train;
  std::string train_source;
  std::string train_target;
  std::string validation;
  std::string validation_source;
  std::string validation_target;
  std::string tokenizer;
  std::string source_language = "en";
  std::string target_language = "de";
  std::int64_t max_length = 256;
  double fraction = 1.0;
  DataSplit split = DataSplit::kOrdered;
  LongPolicy long_pairs = LongPolicy::kDrop;

  static void visit_fields(auto& self, auto& field) {
    field("train", self.train,
          "Training corpus: .csv, .tsv, each also .gz, a token store .lfs or an npz corpus .npz.");
    field("train_source", self.train_source,
          "Source lines of a training corpus in two files (with train_target).");
    field("train_target", self.train_target, "Target lines of that corpus.");
    field("validation", self.validation,
          "Validation corpus; without one 1 % of the training corpus is kept for it (split).");
    field("validation_source", self.validation_source,
          "Source lines of a validation corpus in two files.");
    field("validation_target", self.validation_target, "Target lines of that corpus.");
    field("tokenizer", self.tokenizer,
          "Directory with tokenizer.json, or with vocab.json and merges.txt.");
    field("source_language", self.source_language,
          "Source language, and its column in a corpus with a header.");
    field("target_language", self.target_language,
          "Target language, and its column in a corpus with a header.");
    field("max_length", self.max_length, Original{}, Range{2, 1048576},
          "Longest sentence in tokens, <s> and </s> counted; columns of E and F.");
    field("fraction", self.fraction, Range{0, 1, true},
          "Part of the training corpus that is used (split).");
    field("split", self.split,
          "Which pairs that part and a validation corpus cut from it are: ordered (the leading and "
          "the last ones) or random (drawn by seed).");
    field("long_pairs", self.long_pairs, "Pairs longer than max_length: drop, truncate or error.");
  }
};

/// What a training does when a checkpoint cannot be written.
enum class OnSaveError { kStop, kContinue };
template <>
struct EnumNames<OnSaveError> {
  static constexpr std::array<std::pair<OnSaveError, std::string_view>, 2> kValues{
      {{OnSaveError::kStop, "stop"}, {OnSaveError::kContinue, "continue"}}};
};

struct CheckpointConfig {
  std::int64_t every_steps = 0;
  std::int64_t keep = 2;
  OnSaveError on_save_error = OnSaveError::kStop;

  static void visit_fields(auto& self, auto& field) {
    field("every_steps", self.every_steps, MayChange{}, Range{0, 1e9},
          "Steps between checkpoints; 0 = at every validation.");
    field("keep", self.keep, MayChange{}, Range{2, 1000},
          "Verified generations that are kept, besides the best.");
    field("on_save_error", self.on_save_error, MayChange{},
          "When the disk fails: stop (exit 4), or continue with a warning until the next due "
          "checkpoint; the last one must be written in either case.");
  }
};

enum class WandbMode { kOff, kOffline, kOnline };
template <>
struct EnumNames<WandbMode> {
  static constexpr std::array<std::pair<WandbMode, std::string_view>, 3> kValues{
      {{WandbMode::kOff, "off"}, {WandbMode::kOffline, "offline"}, {WandbMode::kOnline, "online"}}};
};

/// Which checkpoint becomes files of the W&B run.
enum class WandbCheckpoint { kNone, kBest };
template <>
struct EnumNames<WandbCheckpoint> {
  static constexpr std::array<std::pair<WandbCheckpoint, std::string_view>, 2> kValues{
      {{WandbCheckpoint::kNone, "none"}, {WandbCheckpoint::kBest, "best"}}};
};

struct TrackingConfig {
  WandbMode wandb = WandbMode::kOff;
  WandbCheckpoint wandb_checkpoint = WandbCheckpoint::kNone;
  bool tensorboard = false;

  static void visit_fields(auto& self, auto& field) {
    field("wandb", self.wandb, MayChange{},
          "Weights & Biases log: off, offline for 'wandb sync', or online, which uploads it "
          "meanwhile by the wandb program.");
    field("wandb_checkpoint", self.wandb_checkpoint, MayChange{},
          "Files of the W&B run, uploaded with it: none, or the best checkpoint's weights, "
          "configuration and tokenizer.");
    field("tensorboard", self.tensorboard, MayChange{},
          "TensorBoard event files in the run directory.");
  }
};

/// Everything that decides a run. `model` and `training` with only the original's keys mean
/// compatibility mode.
struct RunConfig {
  std::optional<bool> compatibility;
  std::uint64_t seed = 42;
  bool deterministic = false;
  ModelConfig model;
  TrainingConfig training;
  DataConfig data;
  CheckpointConfig checkpoint;
  TrackingConfig tracking;

  static void visit_fields(auto& self, auto& field) {
    field("compatibility", self.compatibility,
          "The original's model, order, loss and schedule; unset = on when model and training hold "
          "only its keys.");
    field("seed", self.seed, "Seed of initial weights, data order and dropout.");
    field("deterministic", self.deterministic,
          "Same bits in every run and for any --threads: tensors on one thread, a GPU's "
          "deterministic kernels.");
    field.section("model", self.model, "The model.");
    field.section("training", self.training, "How it is trained.");
    field.section("data", self.data, Alias{"dataset"}, "Corpora and tokenizer.");
    field.section("checkpoint", self.checkpoint, "What is saved, and when.");
    field.section("tracking", self.tracking, "Where metrics go besides metrics.jsonl.");
  }
};

}  // namespace linformer
