// SPDX-License-Identifier: Apache-2.0
#include "cli/logging.h"

#include <gtest/gtest.h>

#include "base/log.h"

namespace linformer {
namespace {

std::string logged(const CommonOptions& common) {
  ::testing::internal::CaptureStderr();
  set_up_logging(common);
  log_info("42 pairs {} %s");
  log_warning("one was damaged");
  set_log_sink({});
  set_log_quiet(false);
  return ::testing::internal::GetCapturedStderr();
}

TEST(Logging, WritesPlainLinesOffATerminal) {
  EXPECT_EQ(logged({}), "linformer: 42 pairs {} %s\nlinformer: warning: one was damaged\n");
}

TEST(Logging, KeepsWarningsWhenQuiet) {
  EXPECT_EQ(logged({.quiet = true}), "linformer: warning: one was damaged\n");
}

}  // namespace
}  // namespace linformer
