// SPDX-License-Identifier: Apache-2.0
#include "engine/available_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace linformer {
namespace {

TEST(AvailableMemory, IsAPartOfTheMachinesMemory) {
  const std::int64_t machine = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  const std::int64_t available = available_memory(at::kCPU);
  EXPECT_GT(available, machine / 1000);
  EXPECT_LT(available, machine);
}

}  // namespace
}  // namespace linformer
