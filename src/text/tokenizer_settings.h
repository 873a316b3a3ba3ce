// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "text/tokenizer_spec.h"

namespace linformer {

/// Reads everything of a tokenizer.json but its vocabulary and merges into `spec`: normalizer,
/// pre-tokenizer, post-processor, decoder, truncation, padding and the model's settings. Throws
/// DataError "FILE: reason" that names a type, key or value that is not supported.
/// `spec.tokens` and `spec.added` must be set: the post-processor may name only tokens in them.
void read_settings(const nlohmann::json& root, const std::string& file, TokenizerSpec& spec);

/// DataError "FILE: PATH: reason".
[[noreturn]] void fail_setting(const std::string& file, const std::string& path,
                               const std::string& reason);

/// Short text of any value for messages.
std::string show_json(const nlohmann::json& value);

/// object[key]; a DataError that names PATH.key when it is missing or `object` is no object.
const nlohmann::json& member(const nlohmann::json& object, const char* key, const std::string& file,
                             std::string_view path);

/// object[key] as a boolean, `fallback` when it is missing.
bool flag(const nlohmann::json& object, const char* key, bool fallback, const std::string& file,
          const std::string& path);

}  // namespace linformer
