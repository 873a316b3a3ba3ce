// SPDX-License-Identifier: Apache-2.0
#include "text/word_counter.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread_count.h"
#include "text/pre_tokenizer.h"
#include "text/unicode_class.h"

namespace linformer {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

/// Whole lines, one after the other.
struct Chunk {
  std::string text;
  std::vector<std::size_t> ends;
};

void count(const Chunk& chunk, bool lowercase, WordCounts& counts) {
  std::string lowered;
  std::size_t begin = 0;
  for (const std::size_t end : chunk.ends) {
    std::string_view line = std::string_view(chunk.text).substr(begin, end - begin);
    begin = end;
    if (lowercase) {
      lowered.clear();
      append_lowercase(lowered, line);
      line = lowered;
    }
    for_each_piece(line, [&](std::string_view piece) {
      const auto known = counts.find(piece);
      if (known != counts.end()) {
        ++known->second;
      } else {
        counts.emplace(piece, 1);
      }
    });
  }
}

}  // namespace

/// The reading thread fills chunks; the others count them. It counts a chunk itself when all of
/// them have one waiting, so that it never stands still and memory stays flat.
class WordCounter::State {
 public:
  State(bool lowercase, std::int64_t threads) : lowercase_(lowercase) {
    try {
      for (std::size_t i = 1; i < thread_count(threads); ++i)
        workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {  // the threads that there are do all the work
    }
  }

  ~State() { stop(); }

  void add_line(std::string_view line) {
    chunk_.text += line;
    chunk_.ends.push_back(chunk_.text.size());
    if (chunk_.text.size() >= kChunkBytes) hand_over();
  }

  WordCounts take() {
    count(std::exchange(chunk_, {}), lowercase_, counts_);
    stop();
    if (error_ != nullptr) std::rethrow_exception(error_);
    for (const auto& [word, times] : merged_) counts_[word] += times;
    return std::exchange(counts_, {});
  }

 private:
  void hand_over() {
    Chunk chunk = std::exchange(chunk_, {});
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.size() < workers_.size() && error_ == nullptr) {
        waiting_.push_back(std::move(chunk));
        changed_.notify_one();
        return;
      }
    }
    count(chunk, lowercase_, counts_);
  }

  void work() {
    WordCounts own;
    try {
      Chunk chunk;
      while (wait_for(chunk)) count(chunk, lowercase_, own);
      const std::scoped_lock lock(mutex_);
      for (const auto& [word, times] : own) merged_[word] += times;
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      error_ = std::current_exception();
    }
  }

  bool wait_for(Chunk& chunk) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !waiting_.empty() || is_done_; });
    if (waiting_.empty()) return false;
    chunk = std::move(waiting_.front());
    waiting_.pop_front();
    return true;
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      is_done_ = true;
      changed_.notify_all();
    }
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  const bool lowercase_;
  Chunk chunk_;        // being filled
  WordCounts counts_;  // of the reading thread
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> waiting_;
  WordCounts merged_;  // of the threads that have ended
  bool is_done_ = false;
  std::exception_ptr error_;
  std::vector<std::thread> workers_;
};

WordCounter::WordCounter(bool lowercase, std::int64_t threads)
    : state_(std::make_unique<State>(lowercase, threads)) {}
WordCounter::~WordCounter() = default;
WordCounter::WordCounter(WordCounter&&) noexcept = default;

void WordCounter::add_line(std::string_view line) { state_->add_line(line); }

WordCounts WordCounter::take() { return state_->take(); }

}  // namespace linformer
