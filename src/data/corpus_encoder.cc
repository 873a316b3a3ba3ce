// SPDX-License-Identifier: Apache-2.0
#include "data/corpus_encoder.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "base/signals.h"
#include "base/thread_count.h"
#include "data/tokenized_corpus.h"

namespace linformer {
namespace {

// Small enough that all threads' chunks are a few MB, large enough that the locks cost nothing.
constexpr std::size_t kChunkPairs = 1024;
constexpr std::size_t kChunkBytes = std::size_t{1} << 19;

/// Some consecutive pairs on their way from text to ids.
struct Chunk {
  std::int64_t sequence = 0;
  std::size_t size = 0;  // pairs in use; the strings behind them are kept for their memory
  std::vector<SentencePair> pairs;
  std::vector<std::int64_t> lines;
  std::vector<std::int32_t> ids;
  std::vector<std::size_t> ends;  // in ids: of source and target of each pair
  std::exception_ptr error;
};

/// Reads chunks in order; one thread at a time.
class ChunkReader {
 public:
  ChunkReader(const CorpusSpec& spec, const EncodeOptions& options)
      : corpus_(spec), name_(corpus_name(spec)), options_(options) {}

  const EncodeCounts& counts() const { return counts_; }

  /// False when nothing is left. An error becomes chunk.error, and the chunk the last.
  bool next(Chunk& chunk) {
    const std::scoped_lock lock(mutex_);
    if (is_done_) return false;
    chunk.sequence = next_sequence_++;
    chunk.size = 0;
    chunk.error = nullptr;
    try {
      throw_if_interrupted();
      read(chunk);
    } catch (...) {
      chunk.error = std::current_exception();
      is_done_ = true;
    }
    return chunk.size > 0 || chunk.error != nullptr;
  }

 private:
  void read(Chunk& chunk) {
    std::size_t bytes = 0;
    while (chunk.size < kChunkPairs && bytes < kChunkBytes) {
      if (chunk.size == chunk.pairs.size()) chunk.pairs.emplace_back();
      SentencePair& pair = chunk.pairs[chunk.size];
      if (!read_pair(pair)) {
        is_done_ = true;
        break;
      }
      if (options_.empty != EmptyPolicy::kKeep && is_empty(pair)) continue;
      chunk.lines.resize(chunk.size);
      chunk.lines.push_back(corpus_.place().line);
      bytes += pair.source.size() + pair.target.size();
      ++chunk.size;
    }
    counts_.text_bytes += static_cast<std::int64_t>(bytes);
    counts_.replaced = corpus_.replaced();
  }

  bool read_pair(SentencePair& pair) {
    if (options_.rows >= 0 && counts_.rows == options_.rows) return false;
    if (corpus_.next(pair)) {
      ++counts_.rows;
      return true;
    }
    if (options_.rows >= 0) {
      throw DataError(name_ + ": changed while it was read (got " + std::to_string(counts_.rows) +
                      " rows, want " + std::to_string(options_.rows) + ")");
    }
    return false;
  }

  /// Counts an empty pair; under kError reads on to count all and throws.
  bool is_empty(const SentencePair& pair) {
    const bool no_source = is_blank(pair.source);
    if (!no_source && !is_blank(pair.target)) return false;
    ++counts_.skipped_empty;
    if (!counts_.first_empty) counts_.first_empty = corpus_.place();
    if (options_.empty == EmptyPolicy::kError) fail_empty(no_source ? "source" : "target");
    return true;
  }

  [[noreturn]] void fail_empty(const char* side) {
    SentencePair pair;
    while (read_pair(pair)) {
      if (is_blank(pair.source) || is_blank(pair.target)) ++counts_.skipped_empty;
    }
    throw DataError(
        *counts_.first_empty,
        std::string(side) + " is empty or blank (" + std::to_string(counts_.skipped_empty) +
            " such pairs in all); --empty skip leaves them out, --empty keep keeps them");
  }

  std::mutex mutex_;
  ParallelCorpus corpus_;
  std::string name_;
  EncodeOptions options_;
  EncodeCounts counts_;
  std::int64_t next_sequence_ = 0;
  bool is_done_ = false;
};

/// Lets chunks through in the order of their numbers.
class Turnstile {
 public:
  /// Runs `pass` when the turn of `sequence` has come; false when an earlier chunk failed.
  template <typename Pass>
  bool enter(std::int64_t sequence, Pass&& pass) {
    std::unique_lock lock(mutex_);
    turned_.wait(lock, [&] { return turn_ == sequence || error_ != nullptr; });
    if (error_ == nullptr) {
      try {
        pass();
      } catch (...) {
        error_ = std::current_exception();
      }
    }
    ++turn_;
    turned_.notify_all();
    return error_ == nullptr;
  }

  void rethrow() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable turned_;
  std::int64_t turn_ = 0;
  std::exception_ptr error_;
};

void encode(Chunk& chunk, const Tokenizer& tokenizer) {
  chunk.ids.clear();
  chunk.ends.clear();
  for (std::size_t i = 0; i < chunk.size; ++i) {
    tokenizer.encode(chunk.pairs[i].source, chunk.ids);
    chunk.ends.push_back(chunk.ids.size());
    tokenizer.encode(chunk.pairs[i].target, chunk.ids);
    chunk.ends.push_back(chunk.ids.size());
  }
}

void hand_over(const Chunk& chunk, const std::function<void(const EncodedPair&)>& receive) {
  if (chunk.error != nullptr) std::rethrow_exception(chunk.error);
  const std::span<const std::int32_t> ids = chunk.ids;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < chunk.size; ++i) {
    const std::size_t middle = chunk.ends[2 * i];
    const std::size_t end = chunk.ends[2 * i + 1];
    receive({ids.subspan(begin, middle - begin), ids.subspan(middle, end - middle), chunk.lines[i],
             chunk.pairs[i].document});
    begin = end;
  }
}

}  // namespace

EncodeCounts encode_corpus(const CorpusSpec& corpus, const Tokenizer& tokenizer,
                           const EncodeOptions& options,
                           const std::function<void(const EncodedPair&)>& receive) {
  if (is_tokenized(corpus)) {
    return read_tokenized_corpus(corpus.file, tokenizer, options, receive);
  }
  ChunkReader reader(corpus, options);
  Turnstile turnstile;
  const auto work = [&] {
    Chunk chunk;
    while (reader.next(chunk)) {
      try {
        if (chunk.error == nullptr) encode(chunk, tokenizer);
      } catch (...) {
        chunk.error = std::current_exception();
      }
      if (!turnstile.enter(chunk.sequence, [&] { hand_over(chunk, receive); })) return;
    }
  };
  std::vector<std::thread> threads;
  try {
    for (std::size_t i = 1; i < thread_count(options.threads); ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {  // the threads that there are do all the work
  }
  work();
  for (std::thread& thread : threads) thread.join();
  turnstile.rethrow();
  return reader.counts();
}

}  // namespace linformer
