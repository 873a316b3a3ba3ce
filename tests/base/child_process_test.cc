// SPDX-License-Identifier: Apache-2.0
#include "base/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "linformer/error.h"
#include "support/environment.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// What a shell wrote that was given `script`.
std::string output_of(const std::string& script, const ChildProcess::Environment& more = {}) {
  const TempDirectory directory;
  ChildProcess child({"sh", "-c", script}, directory.file("log"), more);
  EXPECT_EQ(child.wait(seconds(20)), 0);
  return slurp(directory.file("log"));
}

/// Whether a process of this id is there and no zombie.
bool is_running(const std::string& id) {
  const std::string status = slurp("/proc/" + id + "/stat");
  return !status.empty() && status.find(") Z ") == std::string::npos;
}

template <typename Condition>
bool comes_true(const Condition& condition) {
  const auto end = steady_clock::now() + seconds(20);
  while (steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

TEST(ChildProcess, BothItsOutputsAreAppendedToTheFile) {
  const TempDirectory directory;
  directory.write("log", "before\n");
  ChildProcess child({"sh", "-c", "echo out; echo err >&2"}, directory.file("log"));
  EXPECT_EQ(child.wait(seconds(20)), 0);
  EXPECT_EQ(slurp(directory.file("log")), "before\nout\nerr\n");
}

TEST(ChildProcess, ArgumentsArriveAsTheyAre) {
  const TempDirectory directory;
  ChildProcess child({"printf", "%s|", "a b", "$(id)", "'\"", ""}, directory.file("log"));
  EXPECT_EQ(child.wait(seconds(20)), 0);
  EXPECT_EQ(slurp(directory.file("log")), "a b|$(id)|'\"||");
}

TEST(ChildProcess, ItHasAnEmptyInputAGroupOfItsOwnAndNoOtherFiles) {
  const TempDirectory directory;
  const int leaked = ::open(directory.write("secret", "x").c_str(), O_RDONLY);  // no O_CLOEXEC
  ASSERT_GE(leaked, 0);
  EXPECT_EQ(output_of("wc -c"), "0\n");
  EXPECT_EQ(output_of("test $(ps -o pgid= $$) = $$ && echo own"), "own\n");
  EXPECT_EQ(output_of("ls -l /proc/$$/fd").find("secret"), std::string::npos);
  ::close(leaked);
}

TEST(ChildProcess, ItsEnvironmentIsOursAndMore) {
  const EnvironmentVariable kept("LF_KEPT", "kept");
  const EnvironmentVariable replaced("LF_REPLACED", "old");
  EXPECT_EQ(output_of("echo $LF_KEPT $LF_REPLACED $LF_MORE; env | grep -c ^LF_",
                      {{"LF_REPLACED", "new"}, {"LF_MORE", "more"}}),
            "kept new more\n3\n");
}

TEST(ChildProcess, ExitCodesAndSignalsAreTold) {
  const TempDirectory directory;
  ChildProcess failing({"sh", "-c", "exit 7"}, directory.file("log"));
  EXPECT_EQ(failing.wait(seconds(20)), 7);
  EXPECT_EQ(failing.wait(seconds(20)), 7);
  ChildProcess killed({"sh", "-c", "kill -KILL $$"}, directory.file("log"));
  EXPECT_EQ(killed.wait(seconds(20)), 128 + SIGKILL);
}

TEST(ChildProcess, WaitingEndsAtTheLimit) {
  const TempDirectory directory;
  ChildProcess child({"sleep", "100"}, directory.file("log"));
  const auto start = steady_clock::now();
  EXPECT_EQ(child.wait(milliseconds(50)), std::nullopt);
  EXPECT_LT(steady_clock::now() - start, seconds(20));
  child.terminate();
  EXPECT_EQ(child.wait(milliseconds(0)), 128 + SIGTERM);
}

TEST(ChildProcess, OneThatIgnoresSigtermIsKilledWithItsOwnChildren) {
  const TempDirectory directory;
  ChildProcess child({"sh", "-c", "trap '' TERM; sleep 100 & echo $!; wait; sleep 100"},
                     directory.file("log"));
  ASSERT_TRUE(comes_true([&] { return slurp(directory.file("log")).ends_with('\n'); }));
  std::string grandchild = slurp(directory.file("log"));
  grandchild.pop_back();
  EXPECT_TRUE(is_running(grandchild));
  child.terminate();
  EXPECT_EQ(child.wait(milliseconds(0)), 128 + SIGKILL);
  EXPECT_TRUE(comes_true([&] { return !is_running(grandchild); }));
}

TEST(ChildProcess, ItDiesWithAProcessThatIsKilled) {
  const TempDirectory directory;
  const pid_t parent = ::fork();
  if (parent == 0) {
    const ChildProcess child({"sh", "-c", "echo $$; exec sleep 100"}, directory.file("log"));
    ::pause();
    ::_exit(0);
  }
  ASSERT_TRUE(comes_true([&] { return slurp(directory.file("log")).ends_with('\n'); }));
  std::string id = slurp(directory.file("log"));
  id.pop_back();
  EXPECT_TRUE(is_running(id));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(comes_true([&] { return !is_running(id); }));
}

TEST(ChildProcess, WhatCannotBeStartedIsNamed) {
  const TempDirectory directory;
  const std::string log = directory.file("log");
  EXPECT_EQ(error_text<IoError>([&] { ChildProcess({"no-such-program"}, log); }),
            "no-such-program: cannot start: No such file or directory");
  EXPECT_EQ(error_text<IoError>([&] { ChildProcess({directory.write("data", "x")}, log); }),
            directory.file("data") + ": cannot start: Permission denied");
  EXPECT_EQ(error_text<IoError>([&] { ChildProcess({"true"}, "/proc/none/log"); }),
            "/proc/none/log: cannot open: No such file or directory");
}

}  // namespace
}  // namespace linformer
