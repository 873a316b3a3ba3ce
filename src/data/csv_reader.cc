// SPDX-License-Identifier: Apache-2.0
#include "data/csv_reader.h"

#include <algorithm>
#include <set>

#include "base/utf8.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 16;
constexpr std::size_t kMaxRecordSize = std::size_t{16} << 20;
constexpr std::size_t kMaxColumns = 4096;

std::string join(const std::vector<std::string>& names, std::string_view separator) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += separator;
    out += name;
  }
  return out;
}

std::string column_count(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " column" : " columns");
}

/// CRLF to LF inside a quoted field; check_text has refused every other CR or will.
void drop_carriage_returns(std::string& field) {
  if (field.find('\r') == std::string::npos) return;
  std::erase(field, '\r');
}

}  // namespace

/// How far the record under way has been read.
struct CsvReader::Cursor {
  std::size_t position = 0;  // in buffer_
  bool record_ended = false;
};

CsvReader::CsvReader(const std::string& path, InvalidUtf8 invalid_utf8)
    : stream_(path), invalid_utf8_(invalid_utf8) {
  while (buffer_.size() < 3 && fill()) {
  }
  begin_ = buffer_.size() - without_bom(buffer_).size();
}

const std::vector<std::string>& CsvReader::read_header() {
  if (!next(header_)) throw DataError(path() + ": no rows (the file is empty)");
  check_column_names(header_, path());
  return header_;
}

bool CsvReader::next(std::vector<std::string>& fields) {
  if (begin_ >= kChunk) {
    buffer_.erase(0, begin_);
    buffer_offset_ += begin_;
    begin_ = 0;
  }
  if (!skip_empty_lines()) return false;
  record_line_ = next_line_;
  ++record_number_;
  parse_record(fields);
  return true;
}

bool CsvReader::fill() {
  if (stream_ended_) return false;
  const std::size_t old_size = buffer_.size();
  buffer_.resize(old_size + kChunk);
  const std::size_t count = stream_.read(buffer_.data() + old_size, kChunk);
  buffer_.resize(old_size + count);
  stream_ended_ = count == 0;
  return !stream_ended_;
}

bool CsvReader::at_end(std::size_t position) {
  while (position >= buffer_.size()) {
    if (!fill()) return true;
  }
  return false;
}

bool CsvReader::skip_empty_lines() {
  while (!at_end(begin_)) {
    if (width_ == 1) return true;
    std::size_t newline = begin_;
    if (buffer_[newline] == '\r' && !at_end(newline + 1)) ++newline;
    if (buffer_[newline] != '\n') return true;
    begin_ = newline + 1;
    ++next_line_;
  }
  return false;
}

void CsvReader::parse_record(std::vector<std::string>& fields) {
  Cursor cursor{.position = begin_};
  std::size_t count = 0;
  while (!cursor.record_ended) {
    if (count == fields.size()) fields.emplace_back();
    std::string& field = fields[count++];
    if (!at_end(cursor.position) && buffer_[cursor.position] == '"') {
      parse_quoted(cursor, field);
    } else {
      parse_plain(cursor, field);
    }
    if (cursor.position - begin_ > kMaxRecordSize || count > kMaxColumns) {
      fail_on_line(begin_, cursor.position,
                   "record is too long (want at most 16 MB and 4096 columns)");
    }
  }
  fields.resize(count);
  const std::string_view raw = std::string_view(buffer_).substr(begin_, cursor.position - begin_);
  check_text({raw, path(), buffer_offset_ + begin_, next_line_}, invalid_utf8_);
  check_width(count);
  if (invalid_utf8_ == InvalidUtf8::kReplace && utf8_first_invalid(raw)) {
    for (std::string& field : fields) replaced_ += replace_invalid_utf8(field);
  }
  width_ = count;
  next_line_ += std::count(raw.begin(), raw.end(), '\n');
  begin_ = cursor.position;
}

void CsvReader::parse_plain(Cursor& cursor, std::string& field) {
  const std::size_t start = cursor.position;
  std::size_t end = start;
  while (true) {
    while (end < buffer_.size() && buffer_[end] != ',' && buffer_[end] != '\n') ++end;
    if (end - start > kMaxCellSize + 1) {
      fail_on_line(start, end, "field is too long (want at most 1 MB)");
    }
    if (end < buffer_.size() || at_end(end)) break;
  }
  cursor.record_ended = end == buffer_.size() || buffer_[end] == '\n';
  cursor.position = std::min(end + 1, buffer_.size());
  std::size_t size = end - start;
  if (cursor.record_ended && end < buffer_.size() && size > 0 && buffer_[end - 1] == '\r') --size;
  if (size > kMaxCellSize) fail_on_line(start, end, "field is too long (want at most 1 MB)");
  field.assign(buffer_, start, size);
}

void CsvReader::parse_quoted(Cursor& cursor, std::string& field) {
  const std::size_t open = cursor.position;
  std::size_t position = open + 1;
  field.clear();
  while (true) {
    if (at_end(position)) fail_at(open, open, "quote is never closed");
    const std::size_t quote = std::min(buffer_.find('"', position), buffer_.size());
    field.append(buffer_, position, quote - position);
    if (field.size() > kMaxCellSize) {
      fail_at(open, open, "quoted field is over 1 MB; is its closing quote missing?");
    }
    position = quote;
    if (quote == buffer_.size()) continue;
    if (at_end(quote + 1) || buffer_[quote + 1] != '"') break;
    field += '"';
    position = quote + 2;
  }
  drop_carriage_returns(field);
  std::size_t after = position + 1;
  if (!at_end(after) && buffer_[after] == '\r' && !at_end(after + 1) &&
      buffer_[after + 1] == '\n') {
    ++after;
  }
  const bool ended = at_end(after);
  if (!ended && buffer_[after] != ',' && buffer_[after] != '\n') {
    fail_at(after, std::min(after + 2, buffer_.size()),
            "text after a closing quote (want a comma or a line end; write \"\" for a quote)");
  }
  cursor.record_ended = ended || buffer_[after] == '\n';
  cursor.position = ended ? after : after + 1;
}

void CsvReader::check_width(std::size_t width) const {
  if (width_ == 0 || width == width_) return;
  const std::string want = header_.empty() ? column_count(width_) + ", as in the first record"
                                           : std::to_string(width_) + ": " + join(header_, ",");
  throw DataError(Place{path(), record_line_, 0, {}},
                  "record " + std::to_string(record_number_) + " has " + column_count(width) +
                      " (want " + want + "); quote fields that contain commas");
}

std::int64_t CsvReader::line_of(std::size_t position) const {
  return next_line_ + std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                                 buffer_.begin() + static_cast<std::ptrdiff_t>(position), '\n');
}

void CsvReader::check_scanned(std::size_t end) const {
  std::string_view raw = std::string_view(buffer_).substr(begin_, end - begin_);
  if (raw.ends_with('\r')) raw.remove_suffix(1);
  check_text({raw, path(), buffer_offset_ + begin_, next_line_}, InvalidUtf8::kReplace);
}

void CsvReader::fail_on_line(std::size_t position, std::size_t scanned_end,
                             std::string_view reason) const {
  check_scanned(scanned_end);
  throw DataError(Place{path(), line_of(position), 0, {}}, reason);
}

void CsvReader::fail_at(std::size_t position, std::size_t scanned_end,
                        std::string_view reason) const {
  check_scanned(scanned_end);
  const std::size_t newline = position == 0 ? std::string::npos : buffer_.rfind('\n', position - 1);
  const bool is_inside = newline != std::string::npos && newline >= begin_;
  std::int64_t column = 1;
  for (std::size_t i = is_inside ? newline + 1 : begin_; i < position; ++i) {
    column += (static_cast<unsigned char>(buffer_[i]) & 0xC0U) != 0x80U;
  }
  throw DataError(Place{path(), line_of(position), column, {}}, reason);
}

std::size_t find_column(const std::vector<std::string>& columns, std::string_view name,
                        const std::string& path) {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
  throw DataError(path + ": no column " + std::string(name) + " (found: " + join(columns, ", ") +
                  ")");
}

void check_column_names(const std::vector<std::string>& columns, const std::string& path) {
  std::set<std::string_view> seen;
  for (const std::string& name : columns) {
    if (seen.insert(name).second) continue;
    throw DataError(path + ": column " + name + " occurs twice (found: " + join(columns, ", ") +
                    ")");
  }
}

}  // namespace linformer
