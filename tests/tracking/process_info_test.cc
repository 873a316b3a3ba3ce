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
  std::vector<char> memory(kBytes, 1);
  std::uint64_t sum = 0;
  while (process_usage().cpu_seconds < before.cpu_seconds + 0.02) {
    for (const char byte : memory) sum += static_cast<unsigned char>(byte);
  }
  EXPECT_GT(sum, 0U);
  EXPECT_GT(process_usage().resident_bytes,
            before.resident_bytes + static_cast<std::int64_t>(kBytes / 2));
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
