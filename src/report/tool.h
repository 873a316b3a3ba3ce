// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace linformer {

/// A directory for the files of one report, removed with what is in it.
class WorkDirectory {
 public:
  /// Below the system's directory for temporary files. Throws IoError.
  WorkDirectory();
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Runs a program to its end. Throws UserError "ARGUMENTS[0]: cannot start: reason; FIX" where
/// it is not installed, InternalError with the first line of its output where it fails, and IoError
/// when it takes longer than five minutes.
void run_tool(const std::vector<std::string>& arguments, const std::string& directory,
              const std::string& fix);

}  // namespace linformer
