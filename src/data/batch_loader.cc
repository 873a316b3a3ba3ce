// SPDX-License-Identifier: Apache-2.0
#include "data/batch_loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"

namespace linformer {
namespace {

// Steps that lie ready: enough for the next epoch's order to be drawn meanwhile.
constexpr std::size_t kAhead = 16;

using Batches = std::vector<std::vector<std::uint32_t>>;

std::size_t batches_of_step(const LoaderOptions& options) {
  return static_cast<std::size_t>(options.accumulate * options.ranks);
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
  State(const PairSet& pairs, const LoaderOptions& options, BatchCursor start)
      : pairs_(pairs), options_(options), cursor_(start) {
    LF_CHECK(options.accumulate > 0 && options.rank >= 0 && options.rank < options.ranks,
             "no such rank");
    thread_ = std::thread([this] { work(); });
  }

  ~State() {
    {
      const std::scoped_lock lock(mutex_);
      is_stopped_ = true;
    }
    taken_.notify_all();
    thread_.join();
  }

  StepBatches next() {
    std::unique_lock lock(mutex_);
    if (ready_.empty() && error_ == nullptr) {
      const auto start = std::chrono::steady_clock::now();
      added_.wait(lock, [this] { return !ready_.empty() || error_ != nullptr; });
      seconds_waited_ +=
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
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

 private:
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
      error_ = std::current_exception();
      added_.notify_all();
    }
  }

  StepBatches read_step() {
    if (epoch_of_batches_ != cursor_.epoch) {
      batches_ = epoch_batches(options_.sampler, pairs_.source_lengths(), pairs_.target_lengths(),
                               options_.seed, cursor_.epoch);
      epoch_of_batches_ = cursor_.epoch;
    }
    const auto first = static_cast<std::size_t>(cursor_.batch);
    LF_CHECK(first < batches_.size(), "the cursor is behind its epoch");
    const std::size_t count = std::min(batches_of_step(options_), batches_.size() - first);
    StepBatches step = gather_step(pairs_, std::span(batches_).subspan(first, count), options_);
    cursor_.batch += static_cast<std::int64_t>(count);
    if (first + count == batches_.size()) cursor_ = {cursor_.epoch + 1, 0};
    step.next = cursor_;
    return step;
  }

  const PairSet& pairs_;
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
  bool is_stopped_ = false;
  double seconds_waited_ = 0;
  std::thread thread_;
};

BatchLoader::BatchLoader(const PairSet& pairs, const LoaderOptions& options, BatchCursor start)
    : state_(std::make_unique<State>(pairs, options, start)) {}
BatchLoader::~BatchLoader() = default;

StepBatches BatchLoader::next() { return state_->next(); }

double BatchLoader::seconds_waited() const { return state_->seconds_waited(); }

}  // namespace linformer
