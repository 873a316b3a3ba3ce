// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/run_config.h"
#include "data/parallel_corpus.h"
#include "text/tokenizer.h"

namespace linformer {

/// Where pairs come from and which of them are taken.
struct PairSetOptions {
  CorpusSpec corpus;  // a corpus file or pair of files; a token store or npz corpus as `file`
  std::int64_t max_length = 256;  // ids of a sentence, <s> and </s> counted
  LongPolicy long_pairs = LongPolicy::kDrop;
  double fraction = 1.0;   // leading part of the corpus
  bool keep_text = false;  // for scoring; token stores and npz corpora have no text
};

/// Sentence pairs as ids, ready for batches: read in place from a token store or an npz corpus
/// whose members are stored, else kept in memory. Empty sides are skipped and counted. All rows of
/// an npz corpus that are used are checked first, in one pass, and with its last row its CRC.
class PairSet {
 public:
  /// Throws DataError for ids made by another tokenizer (both digests), an npz corpus of another
  /// max_length, an over-long pair under LongPolicy::kError, nothing left, and as the readers do;
  /// UsageError for keep_text of a token store or npz corpus.
  PairSet(const PairSetOptions& options, const Tokenizer& tokenizer);
  ~PairSet();
  PairSet(PairSet&&) noexcept;

  std::uint32_t size() const { return static_cast<std::uint32_t>(source_lengths_.size()); }
  std::int64_t dropped() const { return dropped_; }
  std::int64_t truncated() const { return truncated_; }
  std::int64_t skipped_empty() const { return skipped_empty_; }

  /// <s>, the ids, </s>; replaces what `out` held.
  void source(std::uint32_t pair, std::vector<std::int32_t>& out) const;
  void target(std::uint32_t pair, std::vector<std::int32_t>& out) const;
  /// Ids of every pair, <s> and </s> counted.
  std::span<const std::uint32_t> source_lengths() const { return source_lengths_; }
  std::span<const std::uint32_t> target_lengths() const { return target_lengths_; }
  /// Raw text, with keep_text.
  const SentencePair& text(std::uint32_t pair) const { return texts_.at(pair); }

  /// Keeps these pairs only, each named at most once, in this order.
  void keep(std::span<const std::uint32_t> pairs);

  /// SHA-256 over all ids that are kept: which data a run was trained on.
  std::string digest() const;

 private:
  struct Rows;
  void load_store(const PairSetOptions& options, const Tokenizer& tokenizer);
  void load_npz(const PairSetOptions& options, const Tokenizer& tokenizer);
  void keep_row(const PairSetOptions& options, std::uint32_t row, std::size_t source,
                std::size_t target);
  void load_text(const PairSetOptions& options, const Tokenizer& tokenizer);
  bool accept_lengths(const PairSetOptions& options, std::size_t& source, std::size_t& target,
                      const std::string& place);

  std::unique_ptr<Rows> rows_;
  std::vector<std::uint32_t> source_lengths_;
  std::vector<std::uint32_t> target_lengths_;
  std::vector<SentencePair> texts_;
  std::int32_t bos_ = 0;
  std::int32_t eos_ = 0;
  std::int64_t dropped_ = 0;
  std::int64_t truncated_ = 0;
  std::int64_t skipped_empty_ = 0;
};

}  // namespace linformer
