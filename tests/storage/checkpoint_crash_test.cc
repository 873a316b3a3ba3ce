// SPDX-License-Identifier: Apache-2.0
// A process that saves checkpoints is killed, or its disk fails, at every fault point in turn;
// afterwards the run must be as good as before. The scripted process is this binary started again:
// a fault script is read once a process.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/exit_code.h"
#include "support/crash_scenario.h"
#include "support/memory_directory.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr const char* kLimitVariable = "LF_CRASH_TEST_FILE_SIZE";

const bool is_scripted = [] {
  const char* run = std::getenv(kCrashRunVariable);
  if (run == nullptr) return false;
  if (const char* size = std::getenv(kLimitVariable)) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(std::atoi(size)), .rlim_max = RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ::_exit(run_guarded([&] { return save_some(run); }));
}();

/// Plays the scenario with a fault on a fresh run and checks what is left; the wait status of the
/// process.
int play(const std::string& fault) {
  const TempDirectory directory;
  const std::string run = directory.file("run");
  make_crash_run(run);
  const int status = run_crash_process(run, {{"LINFORMER_FAULT", fault}});
  if (WIFEXITED(status)) {
    // A failed removal of old generations is a warning: the save itself has succeeded.
    EXPECT_EQ(WEXITSTATUS(status), last_saved(run) == 5 ? 0 : 4) << fault;
  }
  expect_intact(run, fault);
  return status;
}

class CheckpointCrash : public testing::TestWithParam<const char*> {};

TEST_P(CheckpointCrash, AKillOrAFullDiskAnywhereLosesNothing) {
  const std::string site = std::string(GetParam()) + "@";
  int num_passes = 0;
  while (!HasFailure()) {
    const int status = play(site + std::to_string(num_passes + 1) + ":kill");
    if (!WIFSIGNALED(status)) break;
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    ++num_passes;
  }
  EXPECT_GE(num_passes, 3);
  RecordProperty("passes", num_passes);
  for (int pass = 1; pass <= num_passes && !HasFailure(); ++pass) {
    EXPECT_TRUE(WIFEXITED(play(site + std::to_string(pass) + ":enospc")));
  }
}

INSTANTIATE_TEST_SUITE_P(Sites, CheckpointCrash,
                         testing::Values("mkdir", "open", "write", "fsync", "close", "verify",
                                         "sync_directory", "rename", "unlink", "rmdir"),
                         [](const auto& info) { return std::string(info.param); });

TEST(CheckpointLimit, EveryFileSizeLimitEndsInAnIoErrorOrASave) {
  for (int size = 0; size < 1400; size += 50) {
    const TempDirectory directory;
    const std::string run = directory.file("run");
    make_crash_run(run);
    const int status = run_crash_process(run, {{kLimitVariable, std::to_string(size)}});
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), last_saved(run) == 5 ? 0 : 4) << size;
    expect_intact(run, "file size " + std::to_string(size));
  }
}

}  // namespace
}  // namespace linformer
