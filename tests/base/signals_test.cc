// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/exit_code.h"
#include "base/file.h"

namespace linformer {
namespace {

using testing::ExitedWithCode;
using testing::KilledBySignal;

TEST(SignalsDeathTest, FirstSignalIsRememberedUntilItIsPolled) {
  EXPECT_EQ(pending_signal(), 0);
  EXPECT_NO_THROW(throw_if_interrupted());
  EXPECT_EXIT(
      {
        install_signal_handlers();
        ::raise(SIGINT);
        if (pending_signal() != SIGINT) std::_Exit(1);
        std::_Exit(run_guarded([] {
          throw_if_interrupted();
          return 1;
        }));
      },
      ExitedWithCode(130), "linformer: error: stopped by SIGINT");
  EXPECT_EXIT(
      {
        install_signal_handlers();
        ::raise(SIGTERM);
        std::_Exit(run_guarded([] {
          throw_if_interrupted();
          return 1;
        }));
      },
      ExitedWithCode(143), "stopped by SIGTERM");
}

TEST(SignalsDeathTest, SecondSignalLeavesAtOnce) {
  EXPECT_EXIT(
      {
        install_signal_handlers();
        ::raise(SIGINT);
        ::raise(SIGINT);
        std::_Exit(1);
      },
      ExitedWithCode(130), "");
  EXPECT_EXIT(
      {
        install_signal_handlers();
        ::raise(SIGINT);
        ::raise(SIGTERM);
        std::_Exit(1);
      },
      ExitedWithCode(143), "");
}

TEST(SignalsDeathTest, HangUpIsIgnored) {
  EXPECT_EXIT(
      {
        install_signal_handlers();
        ::raise(SIGHUP);
        std::_Exit(9);
      },
      ExitedWithCode(9), "");
}

TEST(SignalsDeathTest, ClosedPipeIsAnIoErrorNotADeath) {
  EXPECT_EXIT(
      {
        ignore_broken_pipe();
        int ends[2];
        if (::pipe(ends) != 0) std::_Exit(1);
        ::close(ends[0]);
        std::_Exit(run_guarded([&] {
          write_fully(ends[1], "text", "stdout");
          return 0;
        }));
      },
      ExitedWithCode(4), "linformer: error: stdout: cannot write: Broken pipe");
}

TEST(SignalsDeathTest, VerbsWithoutStateDieOfASignalAsUsual) {
  EXPECT_EXIT(
      {
        ignore_broken_pipe();
        ::raise(SIGINT);
        std::_Exit(0);
      },
      KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace linformer
