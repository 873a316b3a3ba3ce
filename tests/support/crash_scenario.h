// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "linformer/error.h"
#include "storage/file_tree.h"
#include "storage/run_directory.h"
#include "support/small_checkpoint.h"

namespace linformer {

// A process that saves checkpoints while something goes wrong, and what must hold afterwards. The
// process is the test program started again, because faults are scripted for whole processes.

inline constexpr const char* kCrashRunVariable = "LF_CRASH_TEST_RUN";

/// A run with the generations 1 and 2, of which 1 is the best.
inline void make_crash_run(const std::string& path) {
  const RunDirectory run = RunDirectory::create(path, false);
  save_small_checkpoint(path, 1);
  mark_best(path, {.step = 1, .metric = "loss", .value = 2});
  save_small_checkpoint(path, 2);
}

/// Notes, beside the run, that a step was reported as saved.
inline void say_saved(const std::string& run, std::int64_t step) {
  std::ofstream(run + ".saved", std::ios::app) << step << "\n";
  void* const note = ::dlsym(RTLD_DEFAULT, "syscall_shim_note");
  if (note != nullptr) {
    reinterpret_cast<void (*)(const char*)>(note)(("saved " + std::to_string(step)).c_str());
  }
}

inline std::int64_t last_saved(const std::string& run) {
  std::ifstream in(run + ".saved");
  std::int64_t last = 0;
  for (std::int64_t step = 0; in >> step;) last = step;
  return last;
}

/// What the process does: resume after step 2, save 3, save it again, make it the best, save 4 and
/// 5.
inline int save_some(const std::string& path) {
  const RunDirectory run = RunDirectory::open(path);
  for (const std::int64_t step : {3, 3, 4, 5}) {
    save_small_checkpoint(run.path(), step);
    say_saved(path, step);
    if (step == 3) mark_best(run.path(), {.step = 3, .metric = "loss", .value = 1});
  }
  return 0;
}

/// Runs save_some(run) in a process with these variables; its wait status.
inline int run_crash_process(const std::string& run,
                             const std::vector<std::pair<std::string, std::string>>& variables) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv(kCrashRunVariable, run.c_str(), 1);
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(99);
    ::execl("/proc/self/exe", "storage_tests", static_cast<char*>(nullptr));
    ::_exit(98);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// Nothing is lost, nothing that was said to be saved is missing, and the next start needs no
/// human.
inline void expect_intact(const std::string& run, const std::string& fault) {
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

}  // namespace linformer
