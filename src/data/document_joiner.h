// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace linformer {

/// Joins consecutive sentences of a document to pairs of long sequences: as many as fit, in order,
/// none in two of them, a separator between them on both sides. A sentence that does not fit with
/// those before begins the next pair, and so does one of another document.
class DocumentJoiner {
 public:
  /// One joined pair: source, target, how many sentence pairs are in it.
  using Receive = std::function<void(std::span<const std::int32_t>, std::span<const std::int32_t>,
                                     std::int64_t)>;

  /// `capacity`: most ids of a side, separators counted, <s> and </s> not. `receive` takes the
  /// joined pairs.
  DocumentJoiner(std::int64_t capacity, std::int32_t separator, Receive receive);

  /// The next sentence pair of the corpus. One above the capacity is a pair of its own.
  void add(std::span<const std::int32_t> source, std::span<const std::int32_t> target,
           std::string_view document);
  /// Hands over the last pair.
  void finish();

 private:
  bool fits(std::size_t source, std::size_t target) const;
  void append(std::vector<std::int32_t>& side, std::span<const std::int32_t> ids) const;

  std::size_t capacity_;
  std::int32_t separator_;
  Receive receive_;
  std::string document_;
  std::int64_t sentences_ = 0;
  std::vector<std::int32_t> source_;
  std::vector<std::int32_t> target_;
};

/// Id of `token`, which stands between joined sentences. Throws UsageError where the tokenizer does
/// not make one id of it.
std::int32_t separator_id(const Tokenizer& tokenizer, const std::string& token);

/// A joined side taken apart.
struct SplitSentences {
  std::vector<std::span<const std::int32_t>> sentences;  // without separators
  bool is_aligned = true;  // it held as many sentences as were wanted
};

/// Takes a joined side, as a model wrote it, apart into `count` > 0 sentences, in order. Where it
/// holds fewer the last ones are empty; where it holds more the surplus, with its separators, stays
/// in the last.
SplitSentences split_joined(std::span<const std::int32_t> ids, std::int32_t separator,
                            std::size_t count);

}  // namespace linformer
