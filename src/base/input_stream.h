// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace linformer {

/// A text file read front to back, plain or gzip by its name (".gz"). "-" is standard input.
/// A file whose bytes are gzip though its name is not, and a name in .gz whose bytes are not, are
/// UserErrors that say so; so are missing files, directories, FIFOs (opening never blocks) and
/// damaged gzip data. A file that grows or shrinks while it is read is a DataError ("changed while
/// it was read").
class InputStream {
 public:
  explicit InputStream(const std::string& path);
  ~InputStream();
  InputStream(const InputStream&) = delete;
  InputStream& operator=(const InputStream&) = delete;

  /// Up to `size` bytes of text into `out`; 0 at the end.
  std::size_t read(char* out, std::size_t size);
  const std::string& path() const { return path_; }

 private:
  struct State;
  std::string path_;
  std::unique_ptr<State> state_;
};

/// Lines of an InputStream without their "\n" (and without a "\r" before it). The last line needs
/// no newline. No UTF-8 checks. Throws DataError for a line over `max_line` bytes, and as
/// InputStream.
class LineReader {
 public:
  explicit LineReader(const std::string& path, std::size_t max_line = std::size_t{1} << 20);

  /// False at the end. `line` stays valid until the next call.
  bool next(std::string_view& line);
  /// 1-based number of the line that next() returned last.
  std::int64_t line_number() const { return line_number_; }
  /// Byte offset in the (uncompressed) text of that line's first byte.
  std::uint64_t line_offset() const { return line_offset_; }
  const std::string& path() const { return stream_.path(); }

 private:
  bool fill();

  InputStream stream_;
  std::size_t max_line_;
  std::string buffer_;
  std::size_t begin_ = 0;
  bool at_end_ = false;
  std::int64_t line_number_ = 0;
  std::uint64_t line_offset_ = 0;
  std::uint64_t buffer_offset_ = 0;
};

}  // namespace linformer
