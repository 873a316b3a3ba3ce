// SPDX-License-Identifier: Apache-2.0
#include "data/text_check.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::size_t first_lone_cr(std::string_view text) {
  std::size_t cr = text.find('\r');
  while (cr != std::string_view::npos && cr + 1 < text.size() && text[cr + 1] == '\n') {
    cr = text.find('\r', cr + 2);
  }
  return cr;
}

[[noreturn]] void fail(const RawText& text, std::size_t position, const std::string& reason) {
  const auto newlines = std::count(
      text.bytes.begin(), text.bytes.begin() + static_cast<std::ptrdiff_t>(position), '\n');
  throw DataError(Place{std::string(text.path), 0, 0, text.offset + position},
                  reason + " (line " + std::to_string(text.line + newlines) + ")");
}

std::string hex_byte(char byte) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {'0', 'x', kDigits[value >> 4], kDigits[value & 15]};
}

std::int64_t count_replacements(std::string_view text) {
  std::int64_t count = 0;
  for (std::size_t i = text.find(kReplacement); i != std::string_view::npos;
       i = text.find(kReplacement, i + kReplacement.size())) {
    ++count;
  }
  return count;
}

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

}  // namespace

void check_text(const RawText& text, InvalidUtf8 policy) {
  const std::size_t nul = text.bytes.find('\0');
  const std::size_t cr = first_lone_cr(text.bytes);
  std::size_t invalid = std::string_view::npos;
  if (policy == InvalidUtf8::kError) {
    invalid = utf8_first_invalid(text.bytes).value_or(std::string_view::npos);
  }
  const std::size_t first = std::min({nul, cr, invalid});
  if (first == std::string_view::npos) return;
  if (first == nul) fail(text, nul, "NUL byte (want text)");
  if (first == cr) fail(text, cr, "carriage return without a line feed (want LF or CRLF)");
  fail(text, invalid,
       "byte " + hex_byte(text.bytes[invalid]) +
           " is not UTF-8; convert the file, or replace such bytes with --invalid-utf8 replace");
}

std::int64_t replace_invalid_utf8(std::string& text) {
  if (!utf8_first_invalid(text)) return 0;
  const std::int64_t before = count_replacements(text);
  text = utf8_replace_invalid(text);
  return count_replacements(text) - before;
}

std::string_view without_bom(std::string_view text) {
  static constexpr std::string_view kBom = "\xEF\xBB\xBF";
  if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
  return text;
}

bool is_blank(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (!is_white_space(utf8_decode(text, i))) return false;
  }
  return true;
}

}  // namespace linformer
