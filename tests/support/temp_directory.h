// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/file.h"

namespace linformer {

/// A directory of its own under the system's temporary directory, removed with all it holds at the
/// end.
class TempDirectory {
 public:
  TempDirectory() : path_(std::filesystem::temp_directory_path() / random_name("linformer-test-")) {
    std::filesystem::create_directory(path_);
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  std::string path() const { return path_.string(); }
  /// The path of NAME inside; nothing is created.
  std::string file(std::string_view name) const { return (path_ / name).string(); }
  /// Writes `content` to NAME inside and returns its path.
  std::string write(std::string_view name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

/// The whole content of a file, empty when it cannot be read.
inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace linformer
