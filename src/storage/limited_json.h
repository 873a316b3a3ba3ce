// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"

namespace linformer {

/// What a JSON text from outside may hold.
struct JsonLimits {
  std::size_t depth = 8;         // nested objects and arrays
  std::size_t values = 1000000;  // objects, arrays and scalars in all
};

/// Parses strictly: one value, valid UTF-8, no duplicate keys, no NUL bytes, within `limits`.
/// Throws CheckpointError "PATH@OFFSET: reason"; offsets count from `base`.
/// For files of this module's formats only; torch code must not include this header.
nlohmann::json parse_limited_json(std::string_view text, const std::string& path,
                                  std::uint64_t base = 0, const JsonLimits& limits = {});

/// Offset of the `occurrence`-th (from 0) member name `key` in `text`, 0 when there is none.
std::size_t find_json_key(std::string_view text, const std::string& key, int occurrence = 0);

}  // namespace linformer
