// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <system_error>
#include <utility>

#include "base/fault.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr std::size_t kBufferSize = 1U << 20;

/// Opens a regular file for reading without ever blocking on a FIFO.
int open_regular(const std::string& path, std::size_t& size) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw UserError(path + ": cannot open: " + errno_text(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  if (known && S_ISREG(status.st_mode)) {
    size = static_cast<std::size_t>(status.st_size);
    return descriptor;
  }
  ::close(descriptor);
  if (known && S_ISDIR(status.st_mode)) throw UserError(path + ": is a directory (want a file)");
  throw UserError(path + ": is not a regular file");
}

}  // namespace

std::string errno_text(int error) { return std::generic_category().message(error); }

void throw_io(const std::string& path, const char* action, int error) {
  const std::string text = path + ": cannot " + action + ": " + errno_text(error);
  if (error == ENOMEM) throw OutOfMemoryError(text);
  throw IoError(text);
}

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const int descriptor = open_regular(path, size_);
  if (size_ > 0) {
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int error = errno;
    ::close(descriptor);
    if (address == MAP_FAILED) throw_io(path, "map", error);
    data_ = static_cast<const char*>(address);
  } else {
    ::close(descriptor);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::string read_file(const std::string& path, std::size_t max_size) {
  const MappedFile file(path);
  if (file.bytes().size() > max_size) {
    throw UserError(path + ": is too large (got " + std::to_string(file.bytes().size()) +
                    " bytes, want at most " + std::to_string(max_size) + ")");
  }
  return std::string(file.bytes());
}

AtomicFile::AtomicFile(const std::string& path)
    : path_(path), temporary_(random_name(path + ".tmp-")) {
  fault_point("open");
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_io(path_, "create", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view data) {
  size_ += data.size();
  if (buffer_.size() + data.size() <= kBufferSize) {
    buffer_ += data;
    return;
  }
  flush();
  if (data.size() >= kBufferSize) {
    write_fully(descriptor_, data, path_);
  } else {
    buffer_ = data;
  }
}

void AtomicFile::flush() {
  write_fully(descriptor_, buffer_, path_);
  buffer_.clear();
}

void AtomicFile::write_at(std::uint64_t offset, std::string_view data) {
  flush();
  while (!data.empty()) {
    const ssize_t count =
        ::pwrite(descriptor_, data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_io(path_, "write", errno);
    offset += static_cast<std::uint64_t>(count);
    data.remove_prefix(static_cast<std::size_t>(count));
  }
}

void AtomicFile::commit() {
  flush();
  fault_point("fsync");
  if (::fsync(descriptor_) != 0) throw_io(path_, "sync", errno);
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0) throw_io(path_, "close", errno);
  fault_point("rename");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_io(path_, "rename", errno);
  temporary_.clear();
  sync_directory(parent_directory(path_));
}

void write_file_atomically(const std::string& path, std::string_view data) {
  AtomicFile file(path);
  file.write(data);
  file.commit();
}

void write_fully(int descriptor, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    fault_point("write");
    const ssize_t count = ::write(descriptor, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_io(path, "write", errno);
    data.remove_prefix(static_cast<std::size_t>(count));
  }
}

void require_free_space(const std::string& path, std::uint64_t bytes) {
  fault_point("space");
  struct statvfs status {};
  std::string place = path;
  while (::statvfs(place.c_str(), &status) != 0) {
    const std::string parent = parent_directory(place);
    if (errno != ENOENT || parent == place) return;
    place = parent;
  }
  if (status.f_blocks == 0) return;
  const std::uint64_t free = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (free >= bytes) return;
  throw IoError(path + ": not enough space on the disk (got " + std::to_string(free) +
                " bytes, want " + std::to_string(bytes) + ")");
}

void sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw_io(path, "open", errno);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result != 0 && error != EINVAL) throw_io(path, "sync", error);
}

std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string random_name(std::string_view stem) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device device;
  std::string out(stem);
  for (int i = 0; i < 8; ++i) out += kLetters[device() % 36];
  return out;
}

void write_stdout(std::string_view data) { write_fully(STDOUT_FILENO, data, "stdout"); }

}  // namespace linformer
