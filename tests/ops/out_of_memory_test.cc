// SPDX-License-Identifier: Apache-2.0
#include "ops/out_of_memory.h"

#include <gtest/gtest.h>

#include <new>

namespace linformer {
namespace {

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

TEST(RunsInMemory, SaysWhetherMemoryHeldTheWork) {
  EXPECT_TRUE(runs_in_memory([] {}));
  EXPECT_FALSE(runs_in_memory([] { throw std::bad_alloc(); }));
  EXPECT_FALSE(runs_in_memory(
      [] { at::empty({std::int64_t{1} << 60}, at::TensorOptions(at::kByte)).fill_(1); }));
  EXPECT_THROW(runs_in_memory([] { TORCH_CHECK(false, "another error"); }), c10::Error);
}

}  // namespace
}  // namespace linformer
