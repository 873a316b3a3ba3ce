// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/input_stream.h"
#include "data/text_check.h"

namespace linformer {

/// Lines of a text file (plain or .gz), checked: UTF-8 without NUL and without CR but the one of a
/// CRLF line end, which is no part of the line. A byte order mark at the start of the file is left
/// out.
class TextLines {
 public:
  explicit TextLines(const std::string& path, InvalidUtf8 invalid_utf8 = InvalidUtf8::kError,
                     std::size_t max_line = kMaxCellSize);

  /// False at the end. `line` stays valid until the next call. Throws DataError as check_text and
  /// LineReader.
  bool next(std::string_view& line);
  /// 1-based number of the line returned last.
  std::int64_t line_number() const { return reader_.line_number(); }
  /// Lines of the file in all, by reading on to its end; the lines are not checked.
  std::int64_t count_to_end();
  /// Invalid parts that became U+FFFD so far (kReplace).
  std::int64_t replaced() const { return replaced_; }
  const std::string& path() const { return reader_.path(); }

 private:
  LineReader reader_;
  InvalidUtf8 invalid_utf8_;
  std::string repaired_;
  std::int64_t replaced_ = 0;
};

}  // namespace linformer
