// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "data/parallel_corpus.h"
#include "linformer/error.h"
#include "text/tokenizer.h"

namespace linformer {

/// What happens to a pair with an empty or blank cell.
enum class EmptyPolicy { kSkip, kError, kKeep };

struct EncodeOptions {
  std::int64_t rows = -1;  // leading rows of the corpus that are used; -1 = all
  EmptyPolicy empty = EmptyPolicy::kSkip;
  std::int64_t threads = 0;  // 0 = as many as the machine has
};

/// One pair in ids, without specials; the spans are the receiver's during the call only.
struct EncodedPair {
  std::span<const std::int32_t> source;
  std::span<const std::int32_t> target;
  std::int64_t line = 0;  // of the corpus, where the pair begins; its number where there are none
  std::string_view document;  // as SentencePair
};

struct EncodeCounts {
  std::int64_t rows = 0;  // read, skipped ones included
  std::int64_t skipped_empty = 0;
  std::optional<Place> first_empty;
  std::int64_t replaced = 0;    // invalid UTF-8 parts that became U+FFFD
  std::int64_t text_bytes = 0;  // of both sides, as encoded
};

/// Encodes a corpus on several threads in flat memory and hands the pairs to `receive` one at a
/// time and in corpus order, whatever the number of threads; a corpus that is tokenized already is
/// read instead, as tokenized_corpus.h says. The first error in corpus order ends
/// it: those of ParallelCorpus, Tokenizer and `receive`; DataError for an empty cell under kError
/// (the place of the first one and how many there are) and for a corpus with fewer rows than
/// `rows`; Interrupted when a signal was seen.
EncodeCounts encode_corpus(const CorpusSpec& corpus, const Tokenizer& tokenizer,
                           const EncodeOptions& options,
                           const std::function<void(const EncodedPair&)>& receive);

}  // namespace linformer
