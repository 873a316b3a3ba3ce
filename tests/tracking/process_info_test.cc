// SPDX-License-Identifier: Apache-2.0
#include "tracking/process_info.h"

#include <gtest/gtest.h>

#include <ctime>
#include <vector>

namespace linformer {
namespace {

TEST(ProcessInfo, MemoryAndProcessorTimeGrowWithUse) {
  const ProcessUsage before = process_usage();
  constexpr std::size_t kBytes = 64U << 20;
  const std::vector<char> memory(kBytes, 1);
  const ProcessUsage after = process_usage();
  EXPECT_EQ(memory.back(), 1);
  EXPECT_GT(after.resident_bytes, before.resident_bytes + static_cast<std::int64_t>(kBytes / 2));
  EXPECT_GT(after.cpu_seconds, before.cpu_seconds);
}

TEST(ProcessInfo, TimeIsThatOfTheSystem) {
  EXPECT_NEAR(unix_seconds(), static_cast<double>(std::time(nullptr)), 2);
}

TEST(ProcessInfo, TheHostNameFitsIntoAFileName) {
  EXPECT_FALSE(host_name().empty());
  EXPECT_EQ(host_name().find('/'), std::string::npos);
}

}  // namespace
}  // namespace linformer
