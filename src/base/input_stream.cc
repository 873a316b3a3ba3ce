// SPDX-License-Identifier: Apache-2.0
#include "base/input_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/file.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 16;

bool is_gzip(const char* data, std::size_t size) {
  return size >= 2 && data[0] == '\x1f' && data[1] == '\x8b';
}

}  // namespace

struct InputStream::State {
  int descriptor = -1;
  bool is_regular = false;
  std::uint64_t expected_size = 0;
  std::uint64_t read_size = 0;
  std::vector<char> raw;  // bytes read and not yet handed on
  std::size_t raw_begin = 0;
  std::size_t raw_end = 0;
  bool compressed = false;
  bool member_open = false;
  z_stream inflater{};

  ~State() {
    if (compressed) inflateEnd(&inflater);
    if (descriptor > 0) ::close(descriptor);
  }
};

namespace {

/// Reads the next raw chunk; false at the end.
bool refill(auto& state, const std::string& path) {
  ssize_t count = 0;
  do {
    count = ::read(state.descriptor, state.raw.data(), state.raw.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) throw IoError(path + ": cannot read: " + errno_text(errno));
  state.raw_begin = 0;
  state.raw_end = static_cast<std::size_t>(count);
  state.read_size += static_cast<std::uint64_t>(count);
  if (count == 0 && state.is_regular && state.read_size != state.expected_size) {
    throw DataError(path + ": changed while it was read (got " + std::to_string(state.read_size) +
                    " bytes, want " + std::to_string(state.expected_size) + ")");
  }
  return count > 0;
}

}  // namespace

InputStream::InputStream(const std::string& path)
    : path_(path == "-" ? "stdin" : path), state_(std::make_unique<State>()) {
  state_->raw.resize(kChunk);
  if (path == "-") {
    state_->descriptor = STDIN_FILENO;
    return;
  }
  state_->descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (state_->descriptor < 0) throw UserError(path + ": cannot open: " + errno_text(errno));
  struct stat status {};
  if (::fstat(state_->descriptor, &status) != 0) {
    throw IoError(path + ": cannot stat: " + errno_text(errno));
  }
  if (S_ISDIR(status.st_mode)) throw UserError(path + ": is a directory (want a file)");
  if (!S_ISREG(status.st_mode)) throw UserError(path + ": is not a regular file");
  state_->is_regular = true;
  state_->expected_size = static_cast<std::uint64_t>(status.st_size);
  refill(*state_, path_);
  const bool magic = is_gzip(state_->raw.data(), state_->raw_end);
  const bool named = path.ends_with(".gz");
  if (magic && !named) {
    throw DataError(path + ": holds gzip data (magic 1f 8b); rename it to end in .gz");
  }
  if (named && !magic) {
    throw DataError(path + ": is not gzip data though its name ends in .gz");
  }
  if (named) {
    if (inflateInit2(&state_->inflater, 15 + 16) != Z_OK) throw std::bad_alloc();
    state_->compressed = true;
    state_->member_open = true;
  }
}

InputStream::~InputStream() = default;

std::size_t InputStream::read(char* out, std::size_t size) {
  State& state = *state_;
  if (!state.compressed) {
    if (state.raw_begin == state.raw_end && !refill(state, path_)) return 0;
    const std::size_t count = std::min(size, state.raw_end - state.raw_begin);
    std::copy_n(state.raw.data() + state.raw_begin, count, out);
    state.raw_begin += count;
    return count;
  }
  z_stream& z = state.inflater;
  z.next_out = reinterpret_cast<Bytef*>(out);
  z.avail_out = static_cast<uInt>(std::min<std::size_t>(size, 1U << 30));
  const uInt wanted = z.avail_out;
  while (z.avail_out == wanted) {
    if (state.raw_begin == state.raw_end && !refill(state, path_)) {
      if (state.member_open) throw DataError(path_ + ": gzip data end too early");
      return 0;
    }
    if (!state.member_open) {  // a further gzip member
      if (inflateReset(&z) != Z_OK) throw DataError(path_ + ": damaged gzip data");
      state.member_open = true;
    }
    z.next_in = reinterpret_cast<Bytef*>(state.raw.data() + state.raw_begin);
    z.avail_in = static_cast<uInt>(state.raw_end - state.raw_begin);
    const int result = inflate(&z, Z_NO_FLUSH);
    state.raw_begin = state.raw_end - z.avail_in;
    if (result == Z_STREAM_END) {
      state.member_open = false;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw DataError(path_ + ": damaged gzip data (" + (z.msg != nullptr ? z.msg : "zlib error") +
                      ")");
    }
  }
  return wanted - z.avail_out;
}

LineReader::LineReader(const std::string& path, std::size_t max_line)
    : stream_(path), max_line_(max_line) {}

bool LineReader::fill() {
  if (at_end_) return false;
  buffer_.erase(0, begin_);
  buffer_offset_ += begin_;
  begin_ = 0;
  const std::size_t old_size = buffer_.size();
  buffer_.resize(old_size + kChunk);
  const std::size_t count = stream_.read(buffer_.data() + old_size, kChunk);
  buffer_.resize(old_size + count);
  at_end_ = count == 0;
  return !at_end_;
}

bool LineReader::next(std::string_view& line) {
  std::size_t searched = begin_;
  std::size_t newline = buffer_.find('\n', searched);
  while (newline == std::string::npos) {
    const std::size_t held = buffer_.size() - begin_;
    if (held > max_line_) {
      throw DataError(Place{path(), line_number_ + 1, 0, {}},
                      "line is too long (want at most " + std::to_string(max_line_) + " bytes)");
    }
    if (!fill()) break;
    searched = begin_ + held;
    newline = buffer_.find('\n', searched);
  }
  if (newline == std::string::npos && begin_ == buffer_.size()) return false;
  const std::size_t end = newline == std::string::npos ? buffer_.size() : newline;
  line = std::string_view(buffer_).substr(begin_, end - begin_);
  line_offset_ = buffer_offset_ + begin_;
  begin_ = newline == std::string::npos ? end : end + 1;
  ++line_number_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return true;
}

}  // namespace linformer
