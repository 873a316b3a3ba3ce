// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace linformer {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

/// How often each piece of the pre-tokenizer occurs.
using WordCounts = std::unordered_map<std::string, std::int64_t, StringHash, std::equal_to<>>;

/// Counts the pieces of many lines on several threads. The counts do not depend on their number.
class WordCounter {
 public:
  /// `threads`: 0 = as many as the machine has. Threads that cannot be had are done without.
  WordCounter(bool lowercase, std::int64_t threads);
  ~WordCounter();
  WordCounter(WordCounter&&) noexcept;

  /// Adds one text. Its memory may be reused at once.
  void add_line(std::string_view line);

  /// All counts so far; the counter is empty afterwards and takes no more lines. Throws what a
  /// thread threw (std::bad_alloc).
  WordCounts take();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace linformer
