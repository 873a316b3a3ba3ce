// SPDX-License-Identifier: Apache-2.0
#include "base/fault.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/exit_code.h"

namespace linformer {
namespace {

#ifdef LINFORMER_FAULTS

using testing::ExitedWithCode;
using testing::KilledBySignal;

/// The script is read once a process, so each death test starts a process of its own.
class FaultDeathTest : public testing::Test {
 protected:
  FaultDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  ~FaultDeathTest() override { ::unsetenv("LINFORMER_FAULT"); }

  static void script(const char* text) { ::setenv("LINFORMER_FAULT", text, 1); }
  /// Passes the site three times; exits with 10 + passes, or with the code of what was thrown.
  [[noreturn]] static void pass_three_times(const char* site) {
    int passes = 0;
    const int code = run_guarded([&] {
      for (; passes < 3; ++passes) fault_point(site);
      return 10 + passes;
    });
    std::_Exit(code);
  }
};

TEST_F(FaultDeathTest, NothingHappensWithoutAScript) {
  EXPECT_EXIT(pass_three_times("write"), ExitedWithCode(13), "");
}

TEST_F(FaultDeathTest, OtherSitesAndLaterPassesAreLeftAlone) {
  script("rename@1:eio");
  EXPECT_EXIT(pass_three_times("write"), ExitedWithCode(13), "");
  script("write@4:eio");
  EXPECT_EXIT(pass_three_times("write"), ExitedWithCode(13), "");
}

TEST_F(FaultDeathTest, FullDiskIsAnIoErrorAtTheNthPass) {
  script("write@3:enospc");
  EXPECT_EXIT(pass_three_times("write"), ExitedWithCode(4), "write: No space left on device");
  script("write@1:eio");
  EXPECT_EXIT(pass_three_times("write"), ExitedWithCode(4), "write: Input/output error");
}

TEST_F(FaultDeathTest, KillEndsTheProcess) {
  script("write@2:kill");
  EXPECT_EXIT(pass_three_times("write"), KilledBySignal(SIGKILL), "");
  script("write@2:term");
  EXPECT_EXIT(pass_three_times("write"), KilledBySignal(SIGTERM), "");
}

TEST_F(FaultDeathTest, FailuresOfLibrariesKeepTheirCodes) {
  script("write@2:oom");
  EXPECT_EXIT(pass_three_times("write"), ExitedWithCode(5), "out of host memory");
  script("write@2:throw");
  EXPECT_EXIT(pass_three_times("write"), ExitedWithCode(70), "scripted fault");
}

TEST_F(FaultDeathTest, StallNeverReturns) {
  script("write@2:stall");
  EXPECT_EXIT(
      {
        ::alarm(1);
        pass_three_times("write");
      },
      KilledBySignal(SIGALRM), "");
}

TEST_F(FaultDeathTest, NanIsReportedToTheCallerOnce) {
  script("loss@2:nan");
  EXPECT_EXIT(
      {
        const bool first = fault_nan("loss");
        const bool second = fault_nan("loss");
        const bool third = fault_nan("loss");
        std::_Exit(!first && second && !third ? 0 : 1);
      },
      ExitedWithCode(0), "");
}

TEST_F(FaultDeathTest, MalformedScriptIsNoScript) {
  script("write");
  EXPECT_EXIT(pass_three_times("write"), ExitedWithCode(13), "");
}

#else

TEST(Fault, ShippedProgramsIgnoreTheVariable) {
  ::setenv("LINFORMER_FAULT", "write@1:eio", 1);
  EXPECT_NO_THROW(fault_point("write"));
  EXPECT_FALSE(fault_nan("write"));
  ::unsetenv("LINFORMER_FAULT");
}

#endif

}  // namespace
}  // namespace linformer
