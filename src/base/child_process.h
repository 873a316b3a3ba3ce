// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace linformer {

/// A program that runs beside this one: started without a shell, stdin from /dev/null, in a process
/// group of its own so that Ctrl-C at the terminal is this program's alone. The kernel kills it
/// when the thread that started it ends, however that comes about.
class ChildProcess {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  /// Looks arguments[0] up in PATH and passes the others on as they are; stdout and stderr are
  /// appended to the file `output_path`; `more` is added to this process's environment. Throws
  /// IoError when the program is not there or cannot be started ("NAME: cannot start: reason") and
  /// when the file cannot be opened.
  ChildProcess(const std::vector<std::string>& arguments, const std::string& output_path,
               const Environment& more = {});
  /// Terminates it if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Waits for its end, at most `limit`: its exit code, or 128 + the number of the signal that
  /// ended it. Nothing when it still runs.
  std::optional<int> wait(std::chrono::milliseconds limit);

  /// Ends its whole process group: SIGTERM, and SIGKILL two seconds later.
  void terminate();

 private:
  void reap(int options);

  pid_t id_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace linformer
