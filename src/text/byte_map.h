// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linformer {

// The byte alphabet of GPT-2: each byte is written as one printable character, so that a vocabulary
// is plain text. Bytes 33-126, 161-172 and 174-255 stand for themselves, the other 68 are
// U+0100 .. U+0143 in increasing order (a space is "Ġ").

/// Character of a byte.
char32_t byte_to_symbol(unsigned char byte);

/// Byte of a character, or nothing for one outside the alphabet.
std::optional<unsigned char> symbol_to_byte(char32_t symbol);

/// Every byte of `bytes` as its character.
std::string bytes_to_symbols(std::string_view bytes);

/// Inverse of bytes_to_symbols; nothing when `symbols` (valid UTF-8) leaves the alphabet.
std::optional<std::string> symbols_to_bytes(std::string_view symbols);

}  // namespace linformer
