// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_stream.h"
#include "data/text_check.h"

namespace linformer {

/// Records of an RFC 4180 file (plain or .gz), one after another, in flat memory.
/// Accepted: quoted fields with commas, `""` and line breaks; CRLF and LF, mixed too (text holds LF
/// alone); a byte order mark at the start; no newline at the end; a quote inside an unquoted field
/// (text). An empty line is no record, except in a file of one column, where it is an empty field.
/// NA, null, nan are text as any other. DataError, with its place:
///   FILE@OFFSET       NUL, CR without LF, invalid UTF-8 (the line is in the text)
///   FILE:LINE:COL     text after a closing quote; the opening quote of a field that ends neither
///   within 1 MB nor in the file FILE:LINE         a field over 1 MB, a record over 16 MB or 4096
///   fields, a record whose number of fields is not that of the first
/// and what InputStream throws. Columns count characters from 1, offsets bytes of the uncompressed
/// text from 0.
class CsvReader {
 public:
  explicit CsvReader(const std::string& path, InvalidUtf8 invalid_utf8 = InvalidUtf8::kError);

  /// Reads the first record as column names; call it before next(). Throws DataError for a file
  /// without a record and for a name that occurs twice.
  const std::vector<std::string>& read_header();

  /// The next record; false at the end. `fields` is replaced, its memory reused.
  bool next(std::vector<std::string>& fields);

  /// 1-based number of the record read last; a header is record 1.
  std::int64_t record_number() const { return record_number_; }
  /// 1-based physical line on which that record begins.
  std::int64_t line() const { return record_line_; }
  /// Invalid parts that became U+FFFD so far (kReplace).
  std::int64_t replaced() const { return replaced_; }
  const std::string& path() const { return stream_.path(); }

 private:
  struct Cursor;

  bool fill();
  bool at_end(std::size_t position);
  bool skip_empty_lines();
  void parse_record(std::vector<std::string>& fields);
  void parse_quoted(Cursor& cursor, std::string& field);
  void parse_plain(Cursor& cursor, std::string& field);
  void check_width(std::size_t width) const;
  /// Refuses a NUL or lone CR between begin_ and `end` first: a binary file or CR line ends are the
  /// likelier cause.
  void check_scanned(std::size_t end) const;
  [[noreturn]] void fail_at(std::size_t position, std::size_t scanned_end,
                            std::string_view reason) const;
  [[noreturn]] void fail_on_line(std::size_t position, std::size_t scanned_end,
                                 std::string_view reason) const;
  std::int64_t line_of(std::size_t position) const;

  InputStream stream_;
  InvalidUtf8 invalid_utf8_;
  std::string buffer_;  // text from buffer_offset_ on; a whole record at a time
  std::uint64_t buffer_offset_ = 0;
  std::size_t begin_ = 0;  // in buffer_: first byte that no record has taken
  bool stream_ended_ = false;
  std::vector<std::string> header_;
  std::size_t width_ = 0;  // fields of the first record, 0 = unknown
  std::int64_t record_number_ = 0;
  std::int64_t record_line_ = 0;
  std::int64_t next_line_ = 1;  // line of buffer_[begin_]
  std::int64_t replaced_ = 0;
};

/// Index of `name` in `columns`. Throws DataError "FILE: no column NAME (found: ...)".
std::size_t find_column(const std::vector<std::string>& columns, std::string_view name,
                        const std::string& path);

/// Throws DataError for a name that occurs twice in a header.
void check_column_names(const std::vector<std::string>& columns, const std::string& path);

}  // namespace linformer
