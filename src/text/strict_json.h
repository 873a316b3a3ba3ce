// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace linformer {

/// Deepest nesting and most values of a JSON text that parse_strict_json takes.
inline constexpr std::size_t kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 5'000'000;

/// A JSON text as a tree. Throws DataError "FILE:LINE:COL: reason" for anything that is not JSON
/// (trailing commas or garbage, raw control bytes, invalid UTF-8, lone surrogates), and DataError
/// "FILE: reason" for a key given twice in one object, too deep nesting and too many values.
nlohmann::json parse_strict_json(std::string_view text, const std::string& file);

}  // namespace linformer
