// SPDX-License-Identifier: Apache-2.0
#include "data/text_lines.h"

#include "base/utf8.h"

namespace linformer {

TextLines::TextLines(const std::string& path, InvalidUtf8 invalid_utf8, std::size_t max_line)
    : reader_(path, max_line), invalid_utf8_(invalid_utf8) {}

bool TextLines::next(std::string_view& line) {
  if (!reader_.next(line)) return false;
  std::uint64_t offset = reader_.line_offset();
  if (reader_.line_number() == 1) {
    const std::string_view text = without_bom(line);
    offset += line.size() - text.size();
    line = text;
  }
  check_text({line, path(), offset, line_number()}, invalid_utf8_);
  if (invalid_utf8_ == InvalidUtf8::kReplace && utf8_first_invalid(line)) {
    repaired_ = line;
    replaced_ += replace_invalid_utf8(repaired_);
    line = repaired_;
  }
  return true;
}

std::int64_t TextLines::count_to_end() {
  std::string_view line;
  while (reader_.next(line)) {
  }
  return reader_.line_number();
}

}  // namespace linformer
