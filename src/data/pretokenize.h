// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/run_config.h"
#include "data/corpus_encoder.h"
#include "data/parallel_corpus.h"
#include "text/tokenizer.h"

namespace linformer {

struct PretokenizeSpec {
  CorpusSpec corpus;
  std::string output;     // a store, named *.lfs, or an npz corpus, *.npz; one there is replaced
  double fraction = 1.0;  // the first int(rows * fraction) rows are used
  std::int64_t max_length =
      0;  // tokens of a side, <s> and </s> counted; 0 = no limit (not for npz)
  LongPolicy long_pairs = LongPolicy::kDrop;
  /// With corpus.document_column: consecutive sentences of a document become one pair of up to
  /// max_length tokens, with this token of the tokenizer between them.
  std::string separator = "<mask>";
  EmptyPolicy empty = EmptyPolicy::kSkip;
  std::int64_t threads = 0;  // 0 = as many as the machine has
};

struct PretokenizeResult {
  std::int64_t pairs = 0;
  std::int64_t sentences = 0;  // in them: as many, unless documents are joined
  std::int64_t dropped = 0;    // longer than max_length
  std::int64_t truncated = 0;  // cut to max_length
  std::int64_t skipped_empty = 0;
  std::optional<Place> first_empty;
  std::int64_t replaced = 0;       // invalid UTF-8 parts that became U+FFFD
  std::int64_t source_tokens = 0;  // in the output, specials not counted
  std::int64_t target_tokens = 0;
  std::int64_t bytes = 0;       // of the output
  std::int64_t text_bytes = 0;  // that were encoded; 0 for a corpus that was tokenized already
};

/// Writes a corpus, text or tokenized, as a token store or as an npz corpus of max_length columns.
/// It appears whole or not at all; beside an npz corpus lies a temporary store meanwhile.
/// Throws UsageError for a bad fraction, max_length, separator or output name, DataError for a
/// corpus as encode_corpus, for a long pair under kError, when no pair is left and as
/// write_npz_corpus; IoError.
PretokenizeResult pretokenize(const PretokenizeSpec& spec, const Tokenizer& tokenizer);

}  // namespace linformer
