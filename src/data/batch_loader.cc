// SPDX-License-Identifier: Apache-2.0
#include "data/batch_loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/fault.h"
#include "base/signals.h"
#include "linformer/error.h"

namespace linformer {
namespace {

// Steps that lie ready: enough for the next epoch's order to be drawn meanwhile.
constexpr std::size_t kAhead = 16;
constexpr std::chrono::milliseconds kPollInterval{100};

using Batches = std::vector<std::vector<std::uint32_t>>;

std::size_t batches_of_step(const LoaderOptions& options) {
  return static_cast<std::size_t>(options.accumulate * options.ranks);
}

/// "epoch 2, pairs 7, 12, 3 and 5 more", counted from 1.
std::string place_of(const BatchCursor& cursor, std::span<const std::vector<std::uint32_t>> step) {
  constexpr std::size_t kShown = 3;
  std::string out = "epoch " + std::to_string(cursor.epoch + 1) + ", pairs";
  std::size_t count = 0;
  for (const std::vector<std::uint32_t>& batch : step) {
    for (const std::uint32_t pair : batch) {
      if (count++ < kShown) out += (count > 1 ? ", " : " ") + std::to_string(pair + 1);
    }
  }
  if (count > kShown) out += " and " + std::to_string(count - kShown) + " more";
  return out;
}

}  // namespace

std::int64_t steps_per_epoch(std::size_t batches, const LoaderOptions& options) {
  const std::size_t step = batches_of_step(options);
  return static_cast<std::int64_t>((batches + step - 1) / step);
}

StepBatches gather_step(const PairSet& pairs, std::span<const std::vector<std::uint32_t>> batches,
                        const LoaderOptions& options) {
  StepBatches out;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    out.pairs += static_cast<std::int64_t>(batches[i].size());
    for (const std::uint32_t pair : batches[i])
      out.target_tokens += pairs.target_lengths()[pair] - 1;
    if (static_cast<std::int64_t>(i) % options.ranks != options.rank) continue;
    out.batches.push_back(gather_batch(pairs, batches[i]));
    if (options.sampler.capacity) out.batches.back().capacity = *options.sampler.capacity;
  }
  return out;
}

class BatchLoader::State {
 public:
  State(std::shared_ptr<const PairSet> pairs, const LoaderOptions& options, BatchCursor start)
      : pairs_(std::move(pairs)), options_(options), cursor_(start) {
    LF_CHECK(options.accumulate > 0 && options.rank >= 0 && options.rank < options.ranks,
             "no such rank");
  }

  void work() {
    try {
      while (true) {
        StepBatches step = read_step();
        std::unique_lock lock(mutex_);
        taken_.wait(lock, [this] { return ready_.size() < kAhead || is_stopped_; });
        if (is_stopped_) return;
        ready_.push_back(std::move(step));
        lock.unlock();
        added_.notify_all();
      }
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      error_ = loader_error();
      added_.notify_all();
    }
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      is_stopped_ = true;
    }
    taken_.notify_all();
  }

  StepBatches next() {
    std::unique_lock lock(mutex_);
    if (ready_.empty() && error_ == nullptr) wait_for_step(lock);
    if (ready_.empty()) std::rethrow_exception(error_);
    StepBatches out = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    taken_.notify_all();
    return out;
  }

  double seconds_waited() const {
    const std::scoped_lock lock(mutex_);
    return seconds_waited_;
  }

  bool has_stalled() const {
    const std::scoped_lock lock(mutex_);
    return has_stalled_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void wait_for_step(std::unique_lock<std::mutex>& lock) {
    const Clock::time_point start = Clock::now();
    const Clock::time_point end = start + std::chrono::seconds(options_.timeout_seconds);
    const auto has_come = [this] { return !ready_.empty() || error_ != nullptr; };
    has_stalled_ = true;  // until it turns out to be otherwise
    while (!added_.wait_for(lock, kPollInterval, has_come)) {
      throw_if_interrupted();
      if (Clock::now() < end) continue;
      throw WorkerError("the data loader has given nothing for " +
                        std::to_string(options_.timeout_seconds) + " s at " + place_ +
                        " (training.data_timeout_seconds)");
    }
    has_stalled_ = false;
    seconds_waited_ += std::chrono::duration<double>(Clock::now() - start).count();
  }

  /// What the thread has caught: our own errors and a lack of memory as they are.
  std::exception_ptr loader_error() const {
    try {
      throw;
    } catch (const Error&) {
    } catch (const std::bad_alloc&) {
    } catch (const std::exception& error) {
      return std::make_exception_ptr(
          WorkerError("the data loader failed at " + place_ + ": " + error.what()));
    }
    return std::current_exception();
  }

  StepBatches read_step() {
    if (epoch_of_batches_ != cursor_.epoch) {
      set_place("the order of epoch " + std::to_string(cursor_.epoch + 1));
      batches_ = epoch_batches(options_.sampler, pairs_->source_lengths(), pairs_->target_lengths(),
                               options_.seed, cursor_.epoch);
      epoch_of_batches_ = cursor_.epoch;
    }
    const auto first = static_cast<std::size_t>(cursor_.batch);
    LF_CHECK(first < batches_.size(), "the cursor is behind its epoch");
    const std::size_t count = std::min(batches_of_step(options_), batches_.size() - first);
    const auto batches = std::span(batches_).subspan(first, count);
    set_place(place_of(cursor_, batches));
    fault_point("load");
    StepBatches step = gather_step(*pairs_, batches, options_);
    cursor_.batch += static_cast<std::int64_t>(count);
    if (first + count == batches_.size()) cursor_ = {cursor_.epoch + 1, 0};
    step.next = cursor_;
    return step;
  }

  void set_place(std::string place) {
    const std::scoped_lock lock(mutex_);
    place_ = std::move(place);
  }

  const std::shared_ptr<const PairSet> pairs_;
  const LoaderOptions options_;
  // Of the thread alone.
  BatchCursor cursor_;
  Batches batches_;
  std::int64_t epoch_of_batches_ = -1;

  mutable std::mutex mutex_;
  std::condition_variable added_;
  std::condition_variable taken_;
  std::deque<StepBatches> ready_;
  std::exception_ptr error_;
  std::string place_;  // what the thread is at
  bool is_stopped_ = false;
  bool has_stalled_ = false;
  double seconds_waited_ = 0;
};

BatchLoader::BatchLoader(std::shared_ptr<const PairSet> pairs, const LoaderOptions& options,
                         BatchCursor start)
    : state_(std::make_shared<State>(std::move(pairs), options, start)),
      thread_([state = state_] { state->work(); }) {}

BatchLoader::~BatchLoader() {
  state_->stop();
  if (state_->has_stalled()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

StepBatches BatchLoader::next() { return state_->next(); }

double BatchLoader::seconds_waited() const { return state_->seconds_waited(); }

}  // namespace linformer
