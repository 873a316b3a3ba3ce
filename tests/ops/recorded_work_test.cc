// SPDX-License-Identifier: Apache-2.0
// Recording itself needs a GPU: tests/cuda/inference_test.cc.
#include "ops/recorded_work.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

TEST(RecordedWork, OnACpuEveryRunIsTheFunction) {
  at::Tensor input = random_tensor({4}, 1);
  std::int64_t calls = 0;
  RecordedWork work(at::kCPU, [&] {
    ++calls;
    return input * 2.0;
  });
  EXPECT_FALSE(work.is_recorded());
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(largest_difference(work.run(), input * 2.0), 0.0);
  input.fill_(3.0);
  EXPECT_EQ(work.run()[0].item<double>(), 6.0);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace linformer
