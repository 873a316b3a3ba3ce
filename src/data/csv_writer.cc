// SPDX-License-Identifier: Apache-2.0
#include "data/csv_writer.h"

#include "base/utf8.h"

namespace linformer {
namespace {

/// What CsvReader accepts and reads back unchanged.
std::string readable(std::string_view field) {
  std::string out;
  const std::string text = utf8_replace_invalid(field);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') {
      utf8_append(out, 0xFFFD);
    } else if (text[i] == '\r') {
      if (i + 1 == text.size() || text[i + 1] != '\n') out += '\n';
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

void append_csv_field(std::string& out, std::string_view field) {
  static constexpr std::string_view kRefused{"\0\r", 2};
  if (field.find_first_of(kRefused) != std::string_view::npos || utf8_first_invalid(field)) {
    append_csv_field(out, readable(field));
    return;
  }
  // A mark at the start of a file would be taken for its byte order mark; behind a quote it is
  // text.
  const bool is_marked = field.starts_with("\xEF\xBB\xBF");
  if (!is_marked && field.find_first_of(",\"\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_csv_row(std::string& out, std::initializer_list<std::string_view> fields) {
  if (fields.size() == 1 && fields.begin()->empty()) {
    out += "\"\"\n";
    return;
  }
  bool is_first = true;
  for (const std::string_view field : fields) {
    if (!is_first) out += ',';
    is_first = false;
    append_csv_field(out, field);
  }
  out += '\n';
}

}  // namespace linformer
