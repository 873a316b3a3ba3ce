// SPDX-License-Identifier: Apache-2.0
#include "training/weight_average.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "support/tiny_model.h"

namespace linformer {
namespace {

/// Two parameters, one of them with a bfloat16 shadow where `dtype` asks for it.
struct Store {
  explicit Store(at::ScalarType dtype = at::kFloat) : store(at::kCPU, dtype, std::uint64_t{5}) {
    store.add("a", {3, 2}, Init::kUnitNormal);
    store.add("b", {4}, Init::kOnes);
  }
  void set(double value) {
    const at::NoGradGuard no_grad;
    for (const Parameter& parameter : store.parameters()) parameter.master.fill_(value);
    store.refresh_shadows();
  }
  double value() const { return store.find("a")->master[0][0].item<double>(); }

  ParameterStore store;
};

TEST(WeightAverage, StartsAtTheWeights) {
  const Store store;
  const WeightAverage average(store.store, 0.9);
  ASSERT_EQ(average.weights().size(), 2U);
  EXPECT_TRUE(at::equal(average.weights()[0], store.store.find("a")->master));
  EXPECT_TRUE(at::equal(average.weights()[1], store.store.find("b")->master));
}

TEST(WeightAverage, FollowsTheFormulaWithItsWarmUp) {
  Store store(at::kDouble);
  store.set(0);
  WeightAverage average(store.store, 0.7);
  double want = 0;
  for (std::int64_t step = 0; step < 40; ++step) {
    const auto t = static_cast<double>(step);
    store.set(t * t);
    average.update(store.store, step);
    const double decay = std::min(0.7, (1 + t) / (10 + t));
    want = decay * want + (1 - decay) * t * t;
    EXPECT_NEAR(average.weights()[1][2].item<double>(), want, 1e-9 * (1 + want)) << step;
  }
}

TEST(WeightAverage, InUseExchangesMastersAndShadowsAndGivesThemBack) {
  Store store(at::kBFloat16);
  store.set(1);
  WeightAverage average(store.store, 0.9);
  store.set(3);
  {
    const WeightAverage::InUse in_use(average, store.store);
    EXPECT_EQ(store.value(), 1);
    EXPECT_EQ(store.store.find("b")->compute[0].item<double>(), 1);
  }
  EXPECT_EQ(store.value(), 3);
  EXPECT_EQ(store.store.find("b")->compute[0].item<double>(), 3);
  EXPECT_EQ(average.weights()[0][0][0].item<double>(), 1);
}

TEST(WeightAverage, SetToForgetsThePast) {
  Store store;
  WeightAverage average(store.store, 0.9);
  store.set(7);
  average.set_to(store.store);
  EXPECT_EQ(average.weights()[1][3].item<double>(), 7);
}

}  // namespace
}  // namespace linformer
