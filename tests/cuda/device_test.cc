// SPDX-License-Identifier: Apache-2.0
#include "ops/device.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace linformer {
namespace {

TEST(DeviceMemory, IsToldBeforeAnythingElseUsedTheDevice) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // in a process that begins with this test
  const at::Device gpu(at::kCUDA, 0);
  const auto ask = [&] {
    reset_peak_memory(gpu);
    const bool is_none = memory_in_use(gpu) == 0 && peak_memory(gpu) == 0;
    std::_Exit(is_none && device_allocator(gpu).getMemoryInfo(0).first > 0 ? 0 : 1);
  };
  EXPECT_EXIT(ask(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace linformer
