// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "training/train_state.h"

namespace linformer {

/// Saves the generations of a run, one at a time, on a thread of its own: training stands still
/// while weights and moments are copied, and for the save before where that is still being written.
/// All members are called by the thread that trains; each but the destructor throws what the last
/// save threw (IoError, DivergenceError), once.
class CheckpointWriter {
 public:
  /// `on_save` (may be empty) is told of every committed generation, by the thread that trains.
  CheckpointWriter(std::string run_directory, std::int64_t keep,
                   std::function<void(const CommitResult&)> on_save);
  /// Waits for the save under way; what it throws is lost.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Takes memory for the first save, on the thread: new pages of a large model cost seconds.
  void prepare(const ParameterStore& store, const Optimizer& optimizer, bool has_average);
  /// Copies everything and begins to write it; with `best`, then names it the best.
  void save(const GenerationInputs& inputs, const std::optional<BestRecord>& best);
  /// Looks whether the save under way has ended.
  void check();
  /// Waits for the save under way.
  void finish();

  /// Seconds that training stood still.
  double seconds_waited() const { return seconds_waited_; }

 private:
  void start(std::function<void()> work);
  void join();

  std::string run_directory_;
  std::int64_t keep_;
  std::function<void(const CommitResult&)> on_save_;
  GenerationSnapshot snapshot_;
  std::thread thread_;
  double seconds_waited_ = 0;
  // Of the thread, until it is done.
  std::atomic<bool> is_done_ = false;
  std::optional<CommitResult> result_;
  std::exception_ptr error_;
};

}  // namespace linformer
