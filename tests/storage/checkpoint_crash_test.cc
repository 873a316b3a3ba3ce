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
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "storage/run_directory.h"
#include "support/memory_directory.h"
#include "support/small_checkpoint.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr const char* kRunVariable = "LF_CRASH_TEST_RUN";
constexpr const char* kLimitVariable = "LF_CRASH_TEST_FILE_SIZE";

void say_saved(const std::string& run, std::int64_t step) {
  std::ofstream(run + ".saved", std::ios::app) << step << "\n";
}

/// What the scripted process does: resume after step 2, save 3, save it again, make it the best,
/// save 4 and 5.
int save_some(const std::string& path) {
  const RunDirectory run = RunDirectory::open(path);
  for (const std::int64_t step : {3, 3, 4, 5}) {
    save_small_checkpoint(run.path(), step);
    say_saved(path, step);
    if (step == 3) mark_best(run.path(), {.step = 3, .metric = "loss", .value = 1});
  }
  return 0;
}

const bool is_scripted = [] {
  const char* run = std::getenv(kRunVariable);
  if (run == nullptr) return false;
  if (const char* size = std::getenv(kLimitVariable)) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(std::atoi(size)), .rlim_max = RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ::_exit(run_guarded([&] { return save_some(run); }));
}();

/// Runs the scripted process on `run`; its wait status.
int run_scripted(const std::string& run, const std::string& variable, const std::string& value) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv(kRunVariable, run.c_str(), 1);
    ::setenv(variable.c_str(), value.c_str(), 1);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(99);
    ::execl("/proc/self/exe", "storage_tests", static_cast<char*>(nullptr));
    ::_exit(98);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// A run with the generations 1 and 2, of which 1 is the best.
void make_run(const std::string& path) {
  const RunDirectory run = RunDirectory::create(path, false);
  save_small_checkpoint(path, 1);
  mark_best(path, {.step = 1, .metric = "loss", .value = 2});
  save_small_checkpoint(path, 2);
}

std::int64_t last_saved(const std::string& run) {
  std::ifstream in(run + ".saved");
  std::int64_t last = 0;
  for (std::int64_t step = 0; in >> step;) last = step;
  return last;
}

/// Nothing is lost, nothing that was said to be saved is missing, and the next start needs no
/// human.
void expect_intact(const std::string& run, const std::string& fault) {
  SCOPED_TRACE(fault);
  for (const Generation& generation : list_generations(run)) {
    EXPECT_NO_THROW(verify_generation(generation.path));
  }
  const std::int64_t newest = newest_valid_generation(run, {}).step;
  EXPECT_GE(newest, std::max<std::int64_t>(2, last_saved(run)));
  EXPECT_NO_THROW(verify_generation(best_generation(run).value().path));
  const RunDirectory again = RunDirectory::open(run);
  EXPECT_EQ(save_small_checkpoint(run, newest + 1).warning, "");
  for (const std::string& name : list_directory(run)) {
    EXPECT_EQ(name.find(".tmp-"), std::string::npos) << name;
  }
}

/// Plays the scenario with a fault on a fresh run and checks what is left; the wait status of the
/// process.
int play(const std::string& fault) {
  const TempDirectory directory;
  const std::string run = directory.file("run");
  make_run(run);
  const int status = run_scripted(run, "LINFORMER_FAULT", fault);
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
    make_run(run);
    const int status = run_scripted(run, kLimitVariable, std::to_string(size));
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), last_saved(run) == 5 ? 0 : 4) << size;
    expect_intact(run, "file size " + std::to_string(size));
  }
}

}  // namespace
}  // namespace linformer
