// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace linformer {

/// How a program is started. Its stdin is a file with `input`, empty by default.
struct ProcessRequest {
  std::vector<std::string> arguments;  // the program's path first
  std::string directory;               // where it runs; empty = here
  std::string input;
  std::string stdout_path;  // e.g. /dev/full; empty = captured
  bool close_stdout = false;
  bool close_stdin = false;
  std::vector<std::pair<std::string, std::string>> environment;  // added to this process's own
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  /// Soft limits (RLIMIT_AS, ...).
  std::vector<std::pair<int, rlim_t>> limits;
  /// What is sent to it, in order, each so long after the start, or after its stderr held this.
  std::vector<std::pair<std::chrono::milliseconds, int>> signals;
  std::string signals_after;
};

/// exit_code is 128 + the signal for a process that a signal ended, 200 for one that had to be
/// killed at its time limit.
struct ProcessResult {
  int exit_code = -1;
  std::string out;
  std::string err;
  std::chrono::milliseconds after_signals{0};  // from the last that was sent to the end
};

namespace run_process_internal {

[[noreturn]] inline void become(const ProcessRequest& request, int in, int out, int err) {
  if (!request.directory.empty() && ::chdir(request.directory.c_str()) != 0) ::_exit(250);
  if (!request.stdout_path.empty()) out = ::open(request.stdout_path.c_str(), O_WRONLY);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (request.close_stdin) ::close(0);
  if (request.close_stdout) ::close(1);
  for (const auto& [name, value] : request.environment) ::setenv(name.c_str(), value.c_str(), 1);
  for (const auto& [resource, most] : request.limits) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    limit.rlim_cur = most;
    ::setrlimit(static_cast<__rlimit_resource>(resource), &limit);
  }
  std::vector<char*> words;
  for (const std::string& word : request.arguments)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(words[0], words.data());
  ::_exit(251);
}

/// Reads both pipes to their ends and sends the signals; false when the time is over first.
inline bool collect(int out, int err, pid_t child, const ProcessRequest& request,
                    ProcessResult& result) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const Clock::time_point end = start + request.timeout;
  Clock::time_point last_signal = start;
  Clock::time_point signals_start = start;
  bool has_begun = request.signals_after.empty();
  auto next_signal = request.signals.begin();
  pollfd pipes[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  std::string* texts[2] = {&result.out, &result.err};
  while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
    if (Clock::now() >= end) return false;
    Clock::time_point wake = end;
    if (has_begun && next_signal != request.signals.end()) {
      wake = signals_start + next_signal->first;
      if (Clock::now() >= wake) {
        ::kill(child, next_signal++->second);
        last_signal = Clock::now();
        continue;
      }
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - Clock::now());
    ::poll(pipes, 2, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    for (int i = 0; i < 2; ++i) {
      if (pipes[i].fd < 0 || pipes[i].revents == 0) continue;
      char buffer[65536];
      const ssize_t count = ::read(pipes[i].fd, buffer, sizeof(buffer));
      if (count > 0) texts[i]->append(buffer, static_cast<std::size_t>(count));
      if (count <= 0) pipes[i].fd = -1;
    }
    if (!has_begun && result.err.find(request.signals_after) != std::string::npos) {
      has_begun = true;
      signals_start = Clock::now();
    }
  }
  result.after_signals =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - last_signal);
  return true;
}

/// A descriptor of an unlinked file that holds `text`, at its start.
inline int input_file(const std::string& text) {
  char name[] = "/tmp/linformer-input-XXXXXX";
  const int descriptor = ::mkstemp(name);
  ::unlink(name);
  if (::write(descriptor, text.data(), text.size()) < 0) return descriptor;
  ::lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}

}  // namespace run_process_internal

/// Runs a program to its end and returns what it wrote.
inline ProcessResult run_process(const ProcessRequest& request) {
  using namespace run_process_internal;
  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) return {};
  const int in = input_file(request.input);
  const pid_t child = ::fork();
  if (child == 0) become(request, in, out[1], err[1]);
  ::close(in);
  ::close(out[1]);
  ::close(err[1]);
  ProcessResult result;
  const bool ended = collect(out[0], err[0], child, request, result);
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(out[0]);
  ::close(err[0]);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (!ended) result.exit_code = 200;
  return result;
}

}  // namespace linformer
