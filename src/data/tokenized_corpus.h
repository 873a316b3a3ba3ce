// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "data/corpus_encoder.h"
#include "data/parallel_corpus.h"
#include "text/tokenizer.h"

namespace linformer {

/// Whether a corpus is one file of ids rather than of text: a token store (.lfs) or an npz corpus
/// (.npz).
bool is_tokenized(const CorpusSpec& corpus);

/// Number of its pairs, by opening it.
std::int64_t count_tokenized_pairs(const std::string& file);

/// encode_corpus for a corpus that is tokenized: hands its pairs on in order. A pair is empty when
/// one side has no ids; its line is its number, from 1. Throws DataError for one made by another
/// tokenizer (both digests), for the first empty pair under EmptyPolicy::kError, and as TokenStore
/// and NpzRowReader do; Interrupted.
EncodeCounts read_tokenized_corpus(const std::string& file, const Tokenizer& tokenizer,
                                   const EncodeOptions& options,
                                   const std::function<void(const EncodedPair&)>& receive);

}  // namespace linformer
