// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace linformer {

/// Appends one field, quoted only where it holds a comma, a quote or a line break, or starts with a
/// byte order mark. Everything written reads back: what CsvReader refuses becomes what it accepts
/// (CRLF and CR a LF; NUL and invalid UTF-8 U+FFFD).
void append_csv_field(std::string& out, std::string_view field);

/// Appends one record and its "\n". A record of one empty field is written as `""`, since an empty
/// line is no record elsewhere.
void append_csv_row(std::string& out, std::initializer_list<std::string_view> fields);

}  // namespace linformer
