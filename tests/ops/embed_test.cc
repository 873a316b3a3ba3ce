// SPDX-License-Identifier: Apache-2.0
// On a CPU; tests/cuda compares the GPU's kernels with it.
#include "ops/embed.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

at::Tensor integers(std::vector<std::int64_t> values) {
  return at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                       at::TensorOptions(at::kLong))
      .clone();
}

TEST(Embed, AddsPositionsToScaledRows) {
  const at::Tensor weight_VM = random_tensor({7, 4}, 1);
  const at::Tensor positions_PM = random_tensor({5, 4}, 2);
  const at::Tensor out =
      embed(weight_VM, integers({6, 0, 6}), positions_PM, integers({0, 1, 4}), 3.0);
  EXPECT_LT(largest_difference(out[0], weight_VM[6] * 3.0 + positions_PM[0]), 1e-12);
  EXPECT_LT(largest_difference(out[1], weight_VM[0] * 3.0 + positions_PM[1]), 1e-12);
  EXPECT_LT(largest_difference(out[2], weight_VM[6] * 3.0 + positions_PM[4]), 1e-12);
}

TEST(Embed, GradientSumsTheRowsOfAnId) {
  const at::Tensor positions_PM = random_tensor({5, 4}, 2);
  const at::Tensor upstream = random_tensor({3, 4}, 3);
  const at::Tensor gradient = autograd_gradient(
      [&](const at::Tensor& weight_VM) {
        return (embed(weight_VM, integers({2, 1, 2}), positions_PM, integers({0, 1, 2}), 0.5) *
                upstream)
            .sum();
      },
      random_tensor({4, 4}, 1));
  EXPECT_LT(largest_difference(gradient[2], (upstream[0] + upstream[2]) * 0.5), 1e-12);
  EXPECT_LT(largest_difference(gradient[1], upstream[1] * 0.5), 1e-12);
  EXPECT_EQ(gradient[0].abs().max().item<double>(), 0.0);
}

}  // namespace
}  // namespace linformer
