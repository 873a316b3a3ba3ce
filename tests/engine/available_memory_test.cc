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

TEST(OutOfHostMemory, IsToldFromOtherErrorsOfTorch) {
  const auto is_out_of_memory = [](const auto& work) {
    try {
      work();
    } catch (const c10::Error& error) {
      return is_out_of_host_memory(error);
    }
    ADD_FAILURE() << "nothing was thrown";
    return false;
  };
  EXPECT_FALSE(is_out_of_memory([] { TORCH_CHECK(false, "sizes differ"); }));
  for (const char* text : {"DefaultCPUAllocator: can't allocate memory: you tried to allocate 9",
                           "DefaultCPUAllocator: not enough memory: you tried to allocate 9"}) {
    EXPECT_TRUE(is_out_of_memory([text] { TORCH_CHECK(false, text); }));
  }
}

}  // namespace
}  // namespace linformer
