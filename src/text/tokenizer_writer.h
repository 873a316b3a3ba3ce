// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "text/tokenizer_spec.h"

namespace linformer {

/// tokenizer.json that Hugging Face's `tokenizers` reads to the same ids.
std::string tokenizer_json(const TokenizerSpec& spec);
/// {"token": id, ...} in order of ids. It says nothing of lower-casing or a prefix space.
std::string vocab_json(const TokenizerSpec& spec);
/// "#version: 0.2" and a line "left right" for each merge.
std::string merges_text(const TokenizerSpec& spec);

/// Writes tokenizer.json, vocab.json and merges.txt into `directory`, which (with its parents) is
/// created and appears whole or not at all. Throws UserError when it exists and is not an empty
/// directory, IoError when writing fails.
void write_tokenizer(const TokenizerSpec& spec, const std::string& directory);

/// Throws the UserError of write_tokenizer, before the work that leads to it.
void check_tokenizer_directory(const std::string& directory);

}  // namespace linformer
