// SPDX-License-Identifier: Apache-2.0
#include "model/parameter_store.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensors.h"

namespace linformer {
namespace {

double largest(const at::Tensor& x) { return x.detach().abs().max().item<double>(); }

TEST(ParameterStore, RefusesANameThatIsTaken) {
  ParameterStore store(at::kCPU, at::kFloat, 1);
  store.add("a", {2}, Init::kOnes);
  EXPECT_THROW(store.add("a", {3}, Init::kOnes), c10::Error);
  EXPECT_EQ(store.parameters().size(), 1U);
}

TEST(ParameterStore, StartingValuesDependOnSeedAndNameAlone) {
  ParameterStore one(at::kCPU, at::kFloat, 1);
  ParameterStore reversed(at::kCPU, at::kFloat, 1);
  ParameterStore other(at::kCPU, at::kFloat, 2);
  const at::Tensor a = one.add("a", {4, 3}, Init::kXavier);
  const at::Tensor b = one.add("b", {4, 3}, Init::kXavier);
  const at::Tensor b_first = reversed.add("b", {4, 3}, Init::kXavier);
  const at::Tensor a_last = reversed.add("a", {4, 3}, Init::kXavier);
  EXPECT_EQ(largest_difference(a, a_last), 0.0);
  EXPECT_EQ(largest_difference(b, b_first), 0.0);
  EXPECT_GT(largest_difference(a, b), 0.0);
  EXPECT_GT(largest_difference(a, other.add("a", {4, 3}, Init::kXavier)), 0.0);
}

TEST(ParameterStore, WithoutASeedEveryValueIsZero) {
  ParameterStore store(at::kCPU, at::kFloat, std::nullopt);
  for (const Init init : {Init::kOnes, Init::kUnitNormal, Init::kXavier, Init::kProjectionCyclic}) {
    EXPECT_EQ(largest(store.add(std::to_string(static_cast<int>(init)), {3, 6}, init)), 0.0);
  }
}

TEST(ParameterStore, InitsHaveTheirBoundsAndSpreads) {
  ParameterStore store(at::kCPU, at::kDouble, 1);
  const auto expect_uniform = [&](Init init, at::IntArrayRef shape, double bound) {
    const double got =
        largest(store.add("uniform" + std::to_string(static_cast<int>(init)), shape, init));
    EXPECT_LE(got, bound * (1 + 1e-6));
    EXPECT_GE(got, bound * 0.99);
  };
  expect_uniform(Init::kUniformFanIn, {100, 64}, 1 / 8.0);
  expect_uniform(Init::kXavier, {90, 60}, std::sqrt(6.0 / 150));
  expect_uniform(Init::kXavierStacked, {192, 64}, std::sqrt(6.0 / 128));
  const auto spread = [&](Init init) {
    return store.add("normal" + std::to_string(static_cast<int>(init)), {100, 64}, init)
        .std()
        .item<double>();
  };
  EXPECT_NEAR(spread(Init::kUnitNormal), 1.0, 0.05);
  EXPECT_NEAR(spread(Init::kEmbedding), 1 / 8.0, 0.01);
  EXPECT_NEAR(spread(Init::kProjectionNormal), 0.1, 0.005);
  const at::Tensor cyclic = store.add("cyclic", {3, 8}, Init::kProjectionCyclic);
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 8; ++j)
      EXPECT_EQ(cyclic[i][j].item<double>(), j % 3 == i ? 1.0 : 0.0);
  }
}

TEST(ParameterStore, ABFloat16ShadowFollowsItsFloat32MasterOnRefresh) {
  ParameterStore store(at::kCPU, at::kBFloat16, 1);
  const at::Tensor compute = store.add("a", {5, 5}, Init::kXavier);
  const at::Tensor master = store.find("a")->master;
  EXPECT_EQ(compute.scalar_type(), at::kBFloat16);
  EXPECT_EQ(master.scalar_type(), at::kFloat);
  master.fill_(0.3);
  EXPECT_GT(largest_difference(compute, master.to(at::kBFloat16)), 0.0);
  store.refresh_shadows();
  EXPECT_EQ(largest_difference(compute, master.to(at::kBFloat16)), 0.0);
  EXPECT_EQ(master[0][0].item<float>(), 0.3F);
}

TEST(ParameterStore, WiderTypesComputeWithTheMasterItself) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    ParameterStore store(at::kCPU, type, 1);
    const at::Tensor compute = store.add("a", {2, 2}, Init::kXavier);
    EXPECT_TRUE(compute.is_same(store.find("a")->master));
    EXPECT_EQ(compute.scalar_type(), type);
  }
}

TEST(ParameterStore, CountsElementsOfUsedAndUnusedParameters) {
  ParameterStore store(at::kCPU, at::kFloat, 1);
  EXPECT_TRUE(store.add("a", {2, 3}, Init::kXavier).requires_grad());
  EXPECT_FALSE(store.add("b", {5}, Init::kZeros, /*is_used=*/false).requires_grad());
  EXPECT_EQ(store.num_elements(), 11);
  EXPECT_EQ(store.find("c"), nullptr);
}

TEST(ParameterStore, ClearedGradientsAreGone) {
  ParameterStore store(at::kCPU, at::kFloat, 1);
  const at::Tensor a = store.add("a", {3}, Init::kOnes);
  a.sum().backward();
  ASSERT_TRUE(a.grad().defined());
  store.clear_gradients();
  EXPECT_FALSE(a.grad().defined());
}

TEST(ParameterScope, JoinsNamesByPoints) {
  ParameterStore store(at::kCPU, at::kFloat, 1);
  const ParameterScope layer = ParameterScope(store) / "encoder" / "0";
  layer.add("weight", {2}, Init::kOnes);
  EXPECT_NE(store.find("encoder.0.weight"), nullptr);
}

}  // namespace
}  // namespace linformer
