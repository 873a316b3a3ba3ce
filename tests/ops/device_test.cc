// SPDX-License-Identifier: Apache-2.0
#include "ops/device.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

TEST(ChooseDevice, TakesTheCpuInTheTypeThatIsAskedFor) {
  const DeviceChoice wide = choose_device("cpu", "float32", 1);
  EXPECT_TRUE(wide.device.is_cpu());
  EXPECT_EQ(wide.dtype, at::kFloat);
  EXPECT_EQ(wide.description, "cpu, 1 threads, float32");
  const DeviceChoice narrow = choose_device("cpu", "bfloat16", 2);
  EXPECT_EQ(narrow.dtype, at::kBFloat16);
  EXPECT_TRUE(narrow.description.starts_with("cpu, 2 threads, bfloat16")) << narrow.description;
  EXPECT_EQ(at::get_num_threads(), 2);
  EXPECT_TRUE(choose_device("cpu", "auto", 1).device.is_cpu());
}

TEST(ChooseDevice, SaysWhyAutoTakesFloat32) {
  const DeviceChoice choice = choose_device("cpu", "auto", 1);
  EXPECT_EQ(choice.dtype == at::kFloat, choice.description.ends_with("(no bfloat16 products here)"))
      << choice.description;
}

TEST(ChooseDevice, AnUnknownDeviceIsRefused) {
  for (const std::string name : {"", "gpu", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:1x", "cuda:x",
                                 "cuda:99999999999999999999"}) {
    EXPECT_EQ(error_text<UsageError>([&] { choose_device(name, "auto", 1); }),
              "--device: unknown device (got " + name + ", want auto, cpu, cuda or cuda:I)");
  }
}

TEST(ChooseDevice, AnAbsentDeviceIsRefusedWithTheDevicesPresent) {
  const std::string text = error_text<UsageError>([] { choose_device("cuda:4000", "auto", 1); });
  EXPECT_TRUE(text.starts_with("--device: no such device (got cuda:4000; devices present: cpu"))
      << text;
}

TEST(ChooseDevice, AnUnknownTypeIsRefused) {
  for (const std::string name : {"", "float16", "Float32", "float64"}) {
    EXPECT_EQ(error_text<UsageError>([&] { choose_device("cpu", name, 1); }),
              "--dtype: unknown type (got " + name + ", want auto, float32 or bfloat16)");
  }
}

TEST(PeakMemory, CoversATensorThatIsHeldAndIsNeverBelowWhatIsInUse) {
  reset_peak_memory(at::kCPU);
  const std::int64_t before = memory_in_use(at::kCPU);
  EXPECT_GT(before, 0);
  EXPECT_GT(peak_memory(at::kCPU), 0);
  constexpr std::int64_t kMiB = 1 << 20;
  {
    const at::Tensor held = at::ones({128 * kMiB}, at::TensorOptions(at::kByte));
    EXPECT_GT(memory_in_use(at::kCPU), before + 100 * kMiB);
  }
  EXPECT_GT(peak_memory(at::kCPU), before + 100 * kMiB);
  synchronize(at::kCPU);
}

TEST(ElapsedMs, CoversTheWork) {
  const double elapsed =
      elapsed_ms(at::kCPU, [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
  EXPECT_GE(elapsed, 20.0);
  EXPECT_LT(elapsed, 5000.0);
}

}  // namespace
}  // namespace linformer
