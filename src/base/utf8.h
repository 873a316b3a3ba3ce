// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linformer {

/// Length in bytes (1-4) of the well-formed UTF-8 sequence at `position`, or 0 where there is none
/// (overlong, surrogate, above U+10FFFF, stray or missing continuation byte).
std::size_t utf8_sequence_length(std::string_view text, std::size_t position);

/// Offset of the first byte that is not part of well-formed UTF-8; nothing when all of `text` is.
std::optional<std::size_t> utf8_first_invalid(std::string_view text);

/// Code point of the well-formed sequence at `position`; advances `position` past it.
/// The text must be valid there.
char32_t utf8_decode(std::string_view text, std::size_t& position);

/// Appends `code_point` (a Unicode scalar value) to `out`.
void utf8_append(std::string& out, char32_t code_point);

/// Copy with every maximal invalid part replaced by U+FFFD, as Python's decode(errors="replace").
std::string utf8_replace_invalid(std::string_view text);

}  // namespace linformer
