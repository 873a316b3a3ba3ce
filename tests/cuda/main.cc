// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "ops/accelerator.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (!at::hasCUDA() || at::detail::getCUDAHooks().getNumGPUs() == 0) {
    std::fputs("cuda_tests: there is no GPU here\n", stderr);
    return 1;
  }
  const int failed = RUN_ALL_TESTS();
  std::fflush(nullptr);
  // Without the destructors of static objects: those of torch's CUDA libraries do not always
  // survive one another.
  std::_Exit(failed);
}
