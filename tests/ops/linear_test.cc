// SPDX-License-Identifier: Apache-2.0
// On a CPU; tests/cuda compares the GPU's products with these.
#include "ops/linear.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

TEST(Linear, IsTheProductWithTheTransposedWeight) {
  const at::Tensor x_TM = random_tensor({5, 4}, 1);
  const at::Tensor weight_NM = random_tensor({6, 4}, 2);
  EXPECT_LT(largest_difference(linformer::linear(x_TM, weight_NM), at::mm(x_TM, weight_NM.t())),
            1e-12);
}

TEST(ProjectCross, TakesQueriesFromTheFirstRowsAndTheRestFromTheMemory) {
  const at::Tensor query_TM = random_tensor({5, 4}, 1);
  const at::Tensor memory_SM = random_tensor({3, 4}, 2);
  const at::Tensor weight_3MM = random_tensor({12, 4}, 3);
  const CrossProjection out = project_cross(query_TM, memory_SM, weight_3MM);
  EXPECT_LT(largest_difference(out.query_TM, at::mm(query_TM, weight_3MM.narrow(0, 0, 4).t())),
            1e-12);
  EXPECT_LT(
      largest_difference(out.key_value_S2M, at::mm(memory_SM, weight_3MM.narrow(0, 4, 8).t())),
      1e-12);
}

TEST(FeedForward, IsTwoProductsWithAReluBetween) {
  const at::Tensor x_TM = random_tensor({5, 4}, 1);
  const at::Tensor up_FM = random_tensor({6, 4}, 2);
  const at::Tensor down_MF = random_tensor({4, 6}, 3);
  const at::Tensor want = at::mm(at::mm(x_TM, up_FM.t()).clamp_min(0), down_MF.t());
  EXPECT_LT(largest_difference(feed_forward(x_TM, up_FM, down_MF, {}), want), 1e-12);
}

TEST(FeedForward, Gradients) {
  const at::Tensor x_TM = random_tensor({5, 4}, 1);
  const at::Tensor up_FM = random_tensor({6, 4}, 2);
  const at::Tensor down_MF = random_tensor({4, 6}, 3);
  const at::Tensor upstream = random_tensor({5, 4}, 4);
  const auto expect_gradient = [&](const auto& function, const at::Tensor& at) {
    EXPECT_LT(largest_difference(autograd_gradient(function, at), numeric_gradient(function, at)),
              1e-7);
  };
  const auto loss = [&](const at::Tensor& x, const at::Tensor& up, const at::Tensor& down) {
    return (feed_forward(x, up, down, {}) * upstream).sum();
  };
  expect_gradient([&](const at::Tensor& x) { return loss(x, up_FM, down_MF); }, x_TM);
  expect_gradient([&](const at::Tensor& up) { return loss(x_TM, up, down_MF); }, up_FM);
  expect_gradient([&](const at::Tensor& down) { return loss(x_TM, up_FM, down); }, down_MF);
}

}  // namespace
}  // namespace linformer
