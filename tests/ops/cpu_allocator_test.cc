// SPDX-License-Identifier: Apache-2.0
#include "ops/cpu_allocator.h"

#include <gtest/gtest.h>

#include "ops/device.h"

namespace linformer {
namespace {

TEST(CpuAllocator, TensorsReuseFreedMemoryUntilItIsReleased) {
  use_cached_cpu_memory();
  use_cached_cpu_memory();
  constexpr std::int64_t kMiB = 1 << 20;
  const auto bytes = at::TensorOptions(at::kByte);
  const void* first = at::ones({64 * kMiB}, bytes).const_data_ptr();
  {
    const at::Tensor again = at::ones({60 * kMiB}, bytes);
    EXPECT_EQ(again.const_data_ptr(), first);
    EXPECT_EQ(again.sum().item<std::int64_t>(), 60 * kMiB);
  }
  const std::int64_t kept = memory_in_use(at::kCPU);
  release_cached_cpu_memory();
  EXPECT_LT(memory_in_use(at::kCPU), kept - 32 * kMiB);
  EXPECT_EQ(at::empty({0}, bytes).numel(), 0);
}

TEST(CpuAllocator, ImpossibleRequestsThrow) {
  use_cached_cpu_memory();
  EXPECT_THROW(at::empty({std::int64_t{1} << 60}, at::TensorOptions(at::kByte)), std::bad_alloc);
}

}  // namespace
}  // namespace linformer
