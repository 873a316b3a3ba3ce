// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <utility>

#include "base/exit_code.h"
#include "base/file.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

using testing::ExitedWithCode;
using testing::KilledBySignal;

void limit_file_size(rlim_t bytes) {
  const rlimit limit{.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

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

TEST(SignalsDeathTest, UserSignalMeansTermination) {
  EXPECT_EXIT(
      {
        install_signal_handlers();
        ::raise(SIGUSR1);
        std::_Exit(run_guarded([] {
          throw_if_interrupted();
          return 1;
        }));
      },
      ExitedWithCode(143), "stopped by SIGUSR1");
  EXPECT_EXIT(
      {
        install_signal_handlers();
        ::raise(SIGUSR1);
        ::raise(SIGUSR1);
        std::_Exit(1);
      },
      ExitedWithCode(143), "");
}

TEST(SignalsDeathTest, FirstSignalEndsWhatHasNothingToSave) {
  for (const auto& [signal, code] :
       {std::pair(SIGINT, 130), std::pair(SIGTERM, 143), std::pair(SIGUSR1, 143)}) {
    EXPECT_EXIT(
        {
          install_signal_handlers();
          leave_on_signals();
          ::raise(signal);
          std::_Exit(1);
        },
        ExitedWithCode(code), "linformer: error: stopped");
  }
}

TEST(SignalsDeathTest, HeldSignalsWaitForTheHandlers) {
  EXPECT_EXIT(
      {
        hold_signals();
        ::raise(SIGTERM);
        const bool was_waiting = pending_signal() == 0;
        install_signal_handlers();
        std::_Exit(was_waiting && pending_signal() == SIGTERM ? 0 : 1);
      },
      ExitedWithCode(0), "");
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
        ignore_failed_writes();
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

TEST(SignalsDeathTest, LimitOfTheFileSizeIsAnIoErrorNotADeath) {
  EXPECT_EXIT(
      {
        ignore_failed_writes();
        limit_file_size(1 << 16);
        const TempDirectory directory;
        std::_Exit(run_guarded([&] {
          write_file_atomically(directory.file("x"), std::string(1 << 17, 'x'));
          return 0;
        }));
      },
      ExitedWithCode(4), "cannot write: File too large");
}

TEST(SignalsDeathTest, VerbsWithoutStateDieOfASignalAsUsual) {
  EXPECT_EXIT(
      {
        ignore_failed_writes();
        ::raise(SIGINT);
        std::_Exit(0);
      },
      KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace linformer
