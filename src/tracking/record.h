// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace linformer {

// What a run reports. Member names are the columns of metrics.jsonl and of every report. std only.

/// The state of training after one optimizer step. Counts and rates are of real tokens, never of
/// padding.
struct StepRecord {
  std::int64_t step = 0;    // optimizer steps so far
  std::int64_t epoch = 0;   // 1-based
  std::int64_t epochs = 0;  // in all
  double progress = 0;      // part of the whole run that is done, 0 to 1
  double loss = 0;          // nats a target token, mean since the record before
  double perplexity = 0;
  double learning_rate = 0;
  double gradient_norm = 0;        // of the whole gradient, before clipping
  double tokens_per_second = 0;    // source and target tokens, since the record before
  std::int64_t source_tokens = 0;  // since step 0, over all resumptions
  std::int64_t target_tokens = 0;
  double elapsed_seconds = 0;     // of training, over all resumptions
  std::int64_t memory_bytes = 0;  // peak: of the device with CUDA, else resident memory
};

/// One pass over the validation data.
struct ValidationRecord {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  double loss = 0;  // nats a target token, without label smoothing
  double perplexity = 0;
  std::optional<double> bleu;
  std::optional<double> chrf;
  double seconds = 0;
  bool is_best = false;
};

/// The end of a run.
struct FinalRecord {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  std::string reason;  // finished, early_stopping, interrupted
  std::string metric;  // of best_value: loss or bleu; empty without a validation
  double best_value = 0;
  std::int64_t best_step = 0;
  std::int64_t source_tokens = 0;
  std::int64_t target_tokens = 0;
  double seconds = 0;
  // Of them, since this process began:
  double data_wait_seconds = 0;  // without a batch to train on
  double save_wait_seconds = 0;  // copying weights for a checkpoint, or waiting for the one before
};

/// Where records go. Calls come from one thread. A member throws IoError when the record cannot be
/// kept.
class Sink {
 public:
  virtual ~Sink() = default;
  /// After every optimizer step, for displays; sinks that keep records ignore it.
  virtual void on_progress(const StepRecord& /*record*/) {}
  /// Every training.log_every steps.
  virtual void on_step(const StepRecord& record) = 0;
  virtual void on_validation(const ValidationRecord& record) = 0;
  virtual void on_final(const FinalRecord& record) = 0;
  /// A line for people, e.g. a sample translation.
  virtual void on_text(std::int64_t step, std::string_view text) = 0;
  /// Everything passed so far is durable afterwards. Call it before a checkpoint is committed.
  virtual void flush() = 0;
};

/// Passes every record on to each of its sinks, in order.
class Observer final : public Sink {
 public:
  void add(std::unique_ptr<Sink> sink) { sinks_.push_back(std::move(sink)); }

  void on_progress(const StepRecord& record) override {
    for (auto& sink : sinks_) sink->on_progress(record);
  }
  void on_step(const StepRecord& record) override {
    for (auto& sink : sinks_) sink->on_step(record);
  }
  void on_validation(const ValidationRecord& record) override {
    for (auto& sink : sinks_) sink->on_validation(record);
  }
  void on_final(const FinalRecord& record) override {
    for (auto& sink : sinks_) sink->on_final(record);
  }
  void on_text(std::int64_t step, std::string_view text) override {
    for (auto& sink : sinks_) sink->on_text(step, text);
  }
  void flush() override {
    for (auto& sink : sinks_) sink->flush();
  }

 private:
  std::vector<std::unique_ptr<Sink>> sinks_;
};

}  // namespace linformer
