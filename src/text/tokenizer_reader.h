// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer_spec.h"

namespace linformer {

// Files of a tokenizer to its spec. What is accepted: byte-level BPE without dropout, prefix,
// suffix or byte fallback; normalizer null or Lowercase; ByteLevel with its own pattern; every
// other type or setting that would change ids is a DataError that names it.

/// Reads what Tokenizer::load describes; the result has passed check_spec.
TokenizerSpec read_tokenizer(const std::string& path);

/// Text of a tokenizer.json. `file` is its name in errors. Throws DataError.
TokenizerSpec parse_tokenizer_json(std::string_view text, const std::string& file);

/// Texts of a vocab.json and a merges.txt; special tokens are BART's five. Throws DataError.
TokenizerSpec parse_vocab_and_merges(std::string_view vocab, const std::string& vocab_file,
                                     std::string_view merges, const std::string& merges_file);

}  // namespace linformer
