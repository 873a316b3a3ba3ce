// SPDX-License-Identifier: Apache-2.0
// On a CPU; tests/cuda compares the GPU's product with it.
#include "ops/linear_relu.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

TEST(LinearRelu, IsTheProductAboveZero) {
  const at::Tensor x_TM = random_tensor({5, 4}, 1);
  const at::Tensor weight_FM = random_tensor({6, 4}, 2);
  const at::Tensor want = at::mm(x_TM, weight_FM.t()).clamp_min(0);
  EXPECT_LT(largest_difference(linear_relu(x_TM, weight_FM), want), 1e-12);
}

TEST(LinearRelu, Gradients) {
  const at::Tensor x_TM = random_tensor({5, 4}, 1);
  const at::Tensor weight_FM = random_tensor({6, 4}, 2);
  const at::Tensor upstream = random_tensor({5, 6}, 3);
  const auto of_x = [&](const at::Tensor& x) {
    return (linear_relu(x, weight_FM) * upstream).sum();
  };
  const auto of_weight = [&](const at::Tensor& weight) {
    return (linear_relu(x_TM, weight) * upstream).sum();
  };
  EXPECT_LT(largest_difference(autograd_gradient(of_x, x_TM), numeric_gradient(of_x, x_TM)), 1e-7);
  EXPECT_LT(largest_difference(autograd_gradient(of_weight, weight_FM),
                               numeric_gradient(of_weight, weight_FM)),
            1e-7);
}

}  // namespace
}  // namespace linformer
