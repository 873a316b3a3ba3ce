// SPDX-License-Identifier: Apache-2.0
#include "training/checkpoint_writer.h"

#include <chrono>
#include <utility>

namespace linformer {
namespace {

/// Adds the time of its life to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_(sum), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    sum_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& sum_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace

CheckpointWriter::CheckpointWriter(std::string run_directory, std::int64_t keep,
                                   std::function<void(const CommitResult&)> on_save)
    : run_directory_(std::move(run_directory)), keep_(keep), on_save_(std::move(on_save)) {}

CheckpointWriter::~CheckpointWriter() {
  if (thread_.joinable()) thread_.join();
}

void CheckpointWriter::save(const GenerationInputs& inputs, const std::optional<BestRecord>& best) {
  const Stopwatch stopwatch(seconds_waited_);
  join();
  snapshot_.take(inputs);
  start([this, best] {
    result_ = snapshot_.commit(run_directory_, keep_);
    if (best) mark_best(run_directory_, *best);
  });
}

void CheckpointWriter::prepare(const ParameterStore& store, const Optimizer& optimizer,
                               bool has_average) {
  start([this, &store, &optimizer, has_average] {
    snapshot_.reserve(store, optimizer, has_average);
  });
}

void CheckpointWriter::start(std::function<void()> work) {
  is_done_ = false;
  thread_ = std::thread([this, work = std::move(work)] {
    try {
      work();
    } catch (...) {
      error_ = std::current_exception();
    }
    is_done_ = true;
  });
}

void CheckpointWriter::check() {
  if (is_done_) join();
}

void CheckpointWriter::finish() {
  const Stopwatch stopwatch(seconds_waited_);
  join();
}

void CheckpointWriter::join() {
  if (!thread_.joinable()) return;
  thread_.join();
  is_done_ = false;
  const std::optional<CommitResult> result = std::exchange(result_, std::nullopt);
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
  if (on_save_ && result) on_save_(*result);
}

}  // namespace linformer
