// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace linformer {

/// A log that only grows. Every member throws IoError naming the path.
class AppendFile {
 public:
  enum class Mode {
    kNew,      // the file must not exist
    kExisting  // it is created when missing
  };

  AppendFile(std::string path, Mode mode);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Writes all of `data` at the end or, when the disk is full, none of it.
  void append(std::string_view data);
  /// Cuts the file off after `size` bytes.
  void truncate(std::uint64_t size);
  /// fsync.
  void sync();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace linformer
