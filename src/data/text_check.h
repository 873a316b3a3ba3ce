// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace linformer {

/// What happens to bytes that are not UTF-8: an error, or U+FFFD in their place (counted).
enum class InvalidUtf8 { kError, kReplace };

/// Longest cell or line of a corpus in bytes.
inline constexpr std::size_t kMaxCellSize = std::size_t{1} << 20;

/// A piece of an input as it stands in the file, with the place of its first byte in the
/// (uncompressed) text.
struct RawText {
  std::string_view bytes;
  std::string_view path;
  std::uint64_t offset = 0;
  std::int64_t line = 1;
};

/// Throws DataError "FILE@OFFSET: reason (line N)" for a NUL, for a CR that no LF follows and, with
/// kError, for bytes that are not UTF-8 (overlong forms, surrogates and values above U+10FFFF are
/// not).
void check_text(const RawText& text, InvalidUtf8 policy);

/// Puts U+FFFD in the place of every maximal invalid part of `text` (as Python's errors="replace");
/// returns how many.
std::int64_t replace_invalid_utf8(std::string& text);

/// The text after one leading byte order mark (U+FEFF), if there is one.
std::string_view without_bom(std::string_view text);

/// True when `text` (valid UTF-8) is empty or all Unicode white space. U+FEFF and joiners are text.
bool is_blank(std::string_view text);

}  // namespace linformer
