// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace linformer {

/// strerror without its thread-safety trap: "No such file or directory".
std::string errno_text(int error);

/// Throws IoError "PATH: cannot ACTION: strerror"; OutOfMemoryError where that is the reason.
[[noreturn]] void throw_io(const std::string& path, const char* action, int error);

/// A whole regular file as read-only memory. Throws UserError naming the path when it is missing, a
/// directory, a FIFO or device, or unreadable (opening never blocks), IoError when mapping fails.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::string_view bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Content of a regular file of at most `max_size` bytes. Throws UserError as MappedFile does, and
/// when it is longer.
std::string read_file(const std::string& path, std::size_t max_size);

/// A file that appears under its name whole or not at all: written to a temporary name in the same
/// directory, then fsync, rename, fsync of the directory. Destruction without commit() removes it.
/// Every member throws IoError naming the path (disk full, EIO, permission).
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view data);
  /// Overwrites bytes already written, e.g. a header whose counts are known at the end only.
  void write_at(std::uint64_t offset, std::string_view data);
  std::uint64_t size() const { return size_; }
  void commit();

 private:
  void flush();

  std::string path_;
  std::string temporary_;
  std::string buffer_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// AtomicFile in one call.
void write_file_atomically(const std::string& path, std::string_view data);

/// Writes everything or throws IoError; goes on after EINTR and short writes.
void write_fully(int descriptor, std::string_view data, const std::string& path);

/// Throws IoError naming both numbers when fewer than `bytes` are free where `path` is or will be
/// (directories that do not exist are passed over). A file system that does not say how many are is
/// trusted.
void require_free_space(const std::string& path, std::uint64_t bytes);

/// fsync of a directory, so that renames and creations in it last. Throws IoError.
void sync_directory(const std::string& path);

/// The directory part of `path`, "." when there is none.
std::string parent_directory(const std::string& path);

/// A name made of `stem` and random letters, for temporary files.
std::string random_name(std::string_view stem);

/// Writes results to stdout at once. Throws IoError when stdout is closed or full (EPIPE, ENOSPC).
void write_stdout(std::string_view data);

}  // namespace linformer
