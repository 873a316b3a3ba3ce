// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace linformer {

struct BpeTrainerOptions {
  /// Ids in all: <s> <pad> </s> <unk>, 256 bytes, merges, <mask>. At least 261.
  std::int64_t vocab_size = 0;
  bool lowercase = false;
};

/// Learns a byte-level BPE. Each step merges the most frequent pair of neighbours, of equally
/// frequent ones the one with the smallest ids, as Hugging Face's BpeTrainer does, so both learn
/// the same merges from the same lines. Deterministic.
class BpeTrainer {
 public:
  /// Throws UsageError when vocab_size is below 261 or above 1,000,000.
  explicit BpeTrainer(const BpeTrainerOptions& options);

  /// Counts the words of one text, as a rule a line without its newline. "<s>" and the like have no
  /// special meaning here.
  void add_line(std::string_view line);

  /// Learns from what was added. A text with too few different pairs gives a smaller vocabulary.
  /// Throws DataError when nothing was added.
  Tokenizer train() const;

 private:
  BpeTrainerOptions options_;
  std::string lowered_;
  std::string word_;
  std::unordered_map<std::string, std::int64_t> word_counts_;
};

/// BpeTrainer over lines in memory.
Tokenizer train_bpe(std::span<const std::string> lines, const BpeTrainerOptions& options);

}  // namespace linformer
