// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace linformer {
namespace {

/// Puts the default sink back when a test ends.
class Log : public testing::Test {
 protected:
  ~Log() override {
    set_log_sink({});
    set_log_quiet(false);
  }
};

TEST_F(Log, DefaultSinkWritesToStderrOnly) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  log_info("reading corpus.csv");
  log_warning("3 lines are empty");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "linformer: reading corpus.csv\nlinformer: warning: 3 lines are empty\n");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST_F(Log, QuietDropsInformationAndKeepsWarnings) {
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view text) { lines.emplace_back(text); });
  set_log_quiet(true);
  log_info("a");
  log_warning("b");
  EXPECT_EQ(lines, std::vector<std::string>{"b"});
}

TEST_F(Log, SinkSeesLevelAndText) {
  std::vector<LogLevel> levels;
  set_log_sink([&](LogLevel level, std::string_view) { levels.push_back(level); });
  log_warning("x");
  log_info("x");
  EXPECT_EQ(levels, (std::vector<LogLevel>{LogLevel::kWarning, LogLevel::kInfo}));
}

TEST_F(Log, LinesFromManyThreadsArriveWhole) {
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view text) { lines.emplace_back(text); });
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 200; ++j) log_info("one line");
    });
  }
  threads.clear();
  EXPECT_EQ(lines, std::vector<std::string>(800, "one line"));
}

}  // namespace
}  // namespace linformer
