// SPDX-License-Identifier: Apache-2.0
#include "tracking/append_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/fault.h"
#include "base/file.h"
#include "linformer/error.h"

namespace linformer {
AppendFile::AppendFile(std::string path, Mode mode) : path_(std::move(path)) {
  fault_point("open");
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (mode == Mode::kNew ? O_EXCL : 0);
  descriptor_ = ::open(path_.c_str(), flags, 0666);
  if (descriptor_ < 0) throw_io(path_, "open", errno);
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::append(std::string_view data) {
  const off_t size = ::lseek(descriptor_, 0, SEEK_END);
  try {
    write_fully(descriptor_, data, path_);
  } catch (const IoError&) {
    if (size >= 0) truncate(static_cast<std::uint64_t>(size));
    throw;
  }
}

void AppendFile::truncate(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) throw_io(path_, "truncate", errno);
}

void AppendFile::sync() {
  fault_point("fsync");
  if (::fsync(descriptor_) != 0 && errno != EINVAL) throw_io(path_, "sync", errno);
}

}  // namespace linformer
