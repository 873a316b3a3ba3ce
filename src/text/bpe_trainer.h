// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "text/tokenizer.h"
#include "text/word_counter.h"

namespace linformer {

struct BpeTrainerOptions {
  /// Ids in all: <s> <pad> </s> <unk>, 256 bytes, merges, <mask>. At least 261.
  std::int64_t vocab_size = 0;
  bool lowercase = false;
  /// A pair seen less often than this is not merged.
  std::int64_t min_frequency = 1;
  /// Threads that count words; 0 = as many as the machine has. They do not change the result.
  std::int64_t threads = 1;
};

/// Learns a byte-level BPE. Each step merges the most frequent pair of neighbours, of equally
/// frequent ones the one with the smallest ids, as Hugging Face's BpeTrainer does, so both learn
/// the same merges from the same lines. Deterministic.
class BpeTrainer {
 public:
  /// Throws UsageError when vocab_size is below 261 or above 1,000,000, or min_frequency below 1.
  explicit BpeTrainer(const BpeTrainerOptions& options);

  /// Counts the words of one text, as a rule a line without its newline. "<s>" and the like have no
  /// special meaning here.
  void add_line(std::string_view line);

  /// Learns from what was added, once. A text with too few different pairs gives a smaller
  /// vocabulary. Throws DataError when nothing was added.
  Tokenizer train();

 private:
  BpeTrainerOptions options_;
  WordCounter counter_;
};

/// BpeTrainer over lines in memory.
Tokenizer train_bpe(std::span<const std::string> lines, const BpeTrainerOptions& options);

}  // namespace linformer
