// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "support/run_process.h"

namespace linformer {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kLimitMs = 1000;
#else
constexpr double kLimitMs = 50;
#endif
constexpr char kProgram[] = LF_BINARY_DIR "/linformer";

TEST(Startup, HelpIsThereAtOnce) {
  std::vector<double> milliseconds;
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const ProcessResult result = run_process({.arguments = {kProgram, "--help"}});
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
    ASSERT_EQ(result.exit_code, 0);
    ASSERT_TRUE(result.out.starts_with("linformer "));
    ASSERT_EQ(result.err, "");
  }
  std::ranges::sort(milliseconds);
  EXPECT_LT((milliseconds[9] + milliseconds[10]) / 2, kLimitMs);
}

TEST(Startup, ResultsThatCannotBeWrittenAreAnError) {
  const ProcessResult full =
      run_process({.arguments = {kProgram, "--help"}, .stdout_path = "/dev/full"});
  EXPECT_EQ(full.exit_code, 4);
  EXPECT_EQ(full.err, "linformer: error: stdout: cannot write: No space left on device\n");
  const ProcessResult closed =
      run_process({.arguments = {kProgram, "--version"}, .close_stdout = true});
  EXPECT_EQ(closed.exit_code, 4);
  EXPECT_EQ(closed.err, "linformer: error: stdout: cannot write: Bad file descriptor\n");
}

}  // namespace
}  // namespace linformer
