// SPDX-License-Identifier: Apache-2.0
// What any device computes; tests/cuda/accelerator_test.cc has the packed projections.
#include "ops/length_projection.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

TEST(ProjectRectangle, CutsOfTheTokensAddUpToTheWholeProduct) {
  const at::Tensor wide = random_tensor({5, 40}, 1);
  const at::Tensor weight = wide.narrow(1, 0, 24);
  const at::Tensor x = random_tensor({3, 24, 14}, 2).narrow(2, 7, 7);  // columns of a wider matrix
  const at::Tensor whole = project_rectangle(weight, x, 1);
  EXPECT_EQ(whole.sizes(), at::IntArrayRef({3, 5, 7}));
  EXPECT_LE(largest_difference(whole[2], at::mm(weight, x[2])), 1e-13);
  for (const std::int64_t parts : {2, 3, 8, 24}) {
    EXPECT_LE(largest_difference(project_rectangle(weight, x, parts), whole), 1e-13) << parts;
  }
}

TEST(ProjectRectangle, ByBothIsOneAfterTheOther) {
  const at::NoGradGuard no_grad;
  const at::Tensor E = random_tensor({5, 24}, 1);
  const at::Tensor F = random_tensor({5, 24}, 2);
  const at::Tensor x = random_tensor({3, 24, 7}, 3);
  for (const std::int64_t parts : {1, 2, 8}) {
    const at::Tensor both = project_rectangle_by_both(E, F, x, parts);
    EXPECT_LE(largest_difference(both[0], project_rectangle(E, x, 1)), 1e-13) << parts;
    EXPECT_LE(largest_difference(both[1], project_rectangle(F, x, 1)), 1e-13) << parts;
  }
}

TEST(ProjectionParts, ACpuCutsNothing) {
  const at::NoGradGuard no_grad;
  EXPECT_EQ(projection_parts(random_tensor({4, 4096}, 1), random_tensor({1, 4096, 8}, 2)), 1);
}

}  // namespace
}  // namespace linformer
