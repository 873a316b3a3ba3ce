// SPDX-License-Identifier: Apache-2.0
#include "ops/device_event.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

TEST(LateScalars, AreWhatTheTensorsHeldWhenTheyWereAskedFor) {
  const at::Tensor first = at::full({}, 1.5, at::TensorOptions(at::kFloat));
  const at::Tensor second = at::full({}, 2.0, at::TensorOptions(at::kDouble));
  LateScalars scalars({first, second});
  first.fill_(7.0);
  EXPECT_EQ(scalars.read(), (std::vector<double>{1.5, 2.0}));
}

TEST(DeviceEvent, IsReachedAtOnceOnACpu) {
  DeviceEvent event;
  event.wait();
  event.record(at::kCPU);
  event.wait();
}

}  // namespace
}  // namespace linformer
