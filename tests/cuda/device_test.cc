// SPDX-License-Identifier: Apache-2.0
#include "ops/device.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "ops/accelerator.h"

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

TEST(DeviceMemory, ThatIsOnlyCachedServesARecording) {
  constexpr std::int64_t kMebibyte = 1 << 20;
  constexpr std::int64_t kElements = 64 * kMebibyte;
  const at::Device gpu(at::kCUDA, 0);
  const Accelerator& accelerator = *accelerator_of(gpu);
  const std::shared_ptr<void> stream = accelerator.use_own_stream(gpu);
  at::Tensor result;
  const auto work = [&] { result = at::ones({kElements}, at::device(gpu)).sum(); };
  work();
  at::empty({unused_memory(gpu).free - 64 * kMebibyte}, at::device(gpu).dtype(at::kByte));
  ASSERT_LT(unused_memory(gpu).free, 4 * kElements) << "the recording needs them anew";
  const std::unique_ptr<DeviceGraph> graph = accelerator.make_graph(nullptr);
  graph->capture(work);
  graph->replay();
  EXPECT_EQ(result.item<double>(), static_cast<double>(kElements));
}

}  // namespace
}  // namespace linformer
