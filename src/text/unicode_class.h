// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace linformer {

/// The four kinds of characters that split text into words.
enum class CharClass : std::uint8_t {
  kOther = 0,
  kLetter = 1,  // \p{L}
  kNumber = 2,  // \p{N}
  kSpace = 3,   // White_Space
};

/// Class of a code point, of the Unicode version that unicode_table_source() uses.
CharClass char_class(char32_t code_point);

/// The package whose answers the tables hold, e.g. "tokenizers 0.23.3".
std::string_view unicode_table_source();

/// Appends the lower-case form of `text` character by character (U+0130 becomes two; no final
/// sigma rule). Bytes that are not UTF-8 are copied.
void append_lowercase(std::string& out, std::string_view text);

}  // namespace linformer
