// SPDX-License-Identifier: Apache-2.0
#include "ops/dropout.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

TEST(DropoutOp, ZeroesTheGivenShareAndKeepsTheMean) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kDouble}) {
    at::manual_seed(5);
    const at::Tensor out = dropout(at::ones({1000, 300}, dtype), 0.25).to(at::kDouble);
    EXPECT_NEAR((out == 0).to(at::kDouble).mean().item<double>(), 0.25, 0.004) << dtype;
    EXPECT_NEAR(out.mean().item<double>(), 1.0, 0.01) << dtype;
  }
}

TEST(DropoutOp, GradientPassesWhereTheElementDid) {
  at::manual_seed(5);
  const at::Tensor x = at::ones({37, 11}, at::kDouble).t().requires_grad_(true);  // not contiguous
  const at::Tensor y = dropout(x, 0.4);
  y.sum().backward();
  EXPECT_TRUE(at::equal(x.grad(), y.detach()));
}

TEST(DropoutOp, FollowsTheGeneratorAndNotTheThreads) {
  const at::Tensor x = at::ones({512, 512}, at::kFloat);
  const int threads = at::get_num_threads();
  at::manual_seed(1);
  const at::Tensor first = dropout(x, 0.5);
  const at::Tensor second = dropout(x, 0.5);
  at::set_num_threads(1);
  at::manual_seed(1);
  const at::Tensor again = dropout(x, 0.5);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(first, again));
  EXPECT_FALSE(at::equal(first, second));
}

TEST(DropoutOp, RefusesImpossibleProbabilities) {
  EXPECT_THROW(dropout(at::ones({2}), 1.0), c10::Error);
  EXPECT_THROW(dropout(at::ones({2}), -0.1), c10::Error);
  EXPECT_THROW(dropout(at::ones({2}, at::kLong), 0.1), c10::Error);
}

}  // namespace
}  // namespace linformer
