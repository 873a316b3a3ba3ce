// SPDX-License-Identifier: Apache-2.0
#include "base/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <thread>

#include "base/file.h"

namespace linformer {
namespace {

constexpr std::chrono::milliseconds kGrace{2000};
constexpr std::chrono::milliseconds kPoll{20};

/// Pointers to strings as exec wants them, with a null at the end.
std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& text : strings) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

/// NAME=VALUE of this process, with `more` in place of those of the same names.
std::vector<std::string> environment_with(const ChildProcess::Environment& more) {
  std::vector<std::string> out;
  for (const auto& [name, value] : more) out.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (std::ranges::find(more, name, &std::pair<std::string, std::string>::first) == more.end()) {
      out.emplace_back(text);
    }
  }
  return out;
}

/// What the child needs between fork and exec.
struct Start {
  std::vector<char*> words;
  std::vector<char*> environment;
  pid_t parent;
  int input;
  int output;
  int report;  // gets errno when exec fails
};

/// System calls alone: other threads of the parent may have held any lock.
[[noreturn]] void become(const Start& start) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != start.parent) ::_exit(1);  // it ended before the line above
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(start.input, STDIN_FILENO);
  ::dup2(start.output, STDOUT_FILENO);
  ::dup2(start.output, STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execvpe(start.words[0], start.words.data(), start.environment.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(start.report, &error, sizeof(error));
  ::_exit(1);
}

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

Descriptor open_or_throw(const std::string& path, int flags) {
  const int number = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (number < 0) throw_io(path, "open", errno);
  return Descriptor(number);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments,
                           const std::string& output_path, const Environment& more) {
  const Descriptor input = open_or_throw("/dev/null", O_RDONLY);
  const Descriptor output = open_or_throw(output_path, O_WRONLY | O_CREAT | O_APPEND);
  const std::vector<std::string> environment = environment_with(more);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_io(arguments[0], "start", errno);
  const Descriptor report(ends[0]);
  Descriptor reported(ends[1]);
  const Start start{pointers(arguments), pointers(environment), ::getpid(),
                    input.number(),      output.number(),       reported.number()};
  id_ = ::fork();
  if (id_ < 0) throw_io(arguments[0], "start", errno);
  if (id_ == 0) become(start);
  reported.close();
  int error = 0;
  ssize_t count = 0;
  do {
    count = ::read(report.number(), &error, sizeof(error));
  } while (count < 0 && errno == EINTR);
  if (count == 0) return;  // exec closed the other end
  reap(0);
  throw_io(arguments[0], "start", error);
}

ChildProcess::~ChildProcess() { terminate(); }

void ChildProcess::reap(int options) {
  int status = 0;
  pid_t ended = 0;
  do {
    ended = ::waitpid(id_, &status, options);
  } while (ended < 0 && errno == EINTR);
  if (ended == 0) return;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    if (!exit_code_) reap(WNOHANG);
    if (exit_code_ || std::chrono::steady_clock::now() >= end) return exit_code_;
    std::this_thread::sleep_for(kPoll);
  }
}

void ChildProcess::terminate() {
  if (exit_code_) return;
  ::kill(-id_, SIGTERM);
  const auto end = std::chrono::steady_clock::now() + kGrace;
  while (!exit_code_ && std::chrono::steady_clock::now() < end) {
    reap(WNOHANG);
    if (!exit_code_) std::this_thread::sleep_for(kPoll);
  }
  ::kill(-id_, SIGKILL);  // what its own children left running, too
  if (!exit_code_) reap(0);
}

}  // namespace linformer
