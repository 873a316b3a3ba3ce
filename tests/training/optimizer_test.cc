// SPDX-License-Identifier: Apache-2.0
// The 20-step curves come from the independent PyTorch reference (scripts/golden/model.py).
#include "training/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/transformer.h"
#include "ops/linear_cross_entropy.h"
#include "support/golden_model.h"

namespace linformer {
namespace {

using testing::fill_by_rule;
using testing::golden_config;
using testing::golden_labels;
using testing::golden_side;
using testing::load_golden;

class Curve : public ::testing::TestWithParam<std::string> {};

TEST_P(Curve, TwentyAdamStepsFollowTheReference) {
  const nlohmann::json golden = load_golden(GetParam());
  ParameterStore store(at::kCPU, at::kDouble, 1);
  Transformer model(golden_config(golden.at("config")), store);
  fill_by_rule(store);
  TrainingConfig config;
  config.beta1 = golden.at("adam").at("beta1");
  config.beta2 = golden.at("adam").at("beta2");
  config.epsilon = golden.at("adam").at("epsilon");
  config.gradient_clip = 0;
  Optimizer optimizer(store, config);
  const PackedSequences source = golden_side(golden.at("source"));
  const PackedSequences input = golden_side(golden.at("decoder_input"));
  const at::Tensor labels = golden_labels(golden);
  const auto& want = golden.at("smoothed_losses");
  for (std::size_t i = 0; i < want.size(); ++i) {
    const at::Tensor hidden = model.decode(input, model.encode(source), source);
    const at::Tensor loss =
        linear_cross_entropy({hidden, model.head_weight(), model.head_bias(), labels, 0.1,
                              1.0 / static_cast<double>(labels.size(0))})
            .loss;
    EXPECT_NEAR(loss.item<double>(), want[i].get<double>(), 1e-6) << "step " << i;
    if (i + 1 == want.size()) break;
    loss.backward();
    optimizer.step(golden.at("adam").at("learning_rate"));
  }
  for (const auto& [name, norm] : golden.at("final_norms").items()) {
    if (name.ends_with("segment_score.bias"))
      continue;  // its gradient is rounding noise that Adam turns into full steps
    EXPECT_NEAR(store.find(name)->master.norm().item<double>() / norm.get<double>(), 1.0, 1e-6)
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Curve,
                         ::testing::Values("model_curve_vanilla", "model_curve_linear_k8",
                                           "model_curve_segment_k4"),
                         [](const auto& info) { return info.param; });

struct OneWeight {
  ParameterStore store;
  explicit OneWeight(at::ScalarType dtype) : store(at::kCPU, dtype, 1) {
    store.add("w", {4}, Init::kOnes);
  }
  void set_gradient(double value) {
    const at::Tensor& weight = store.parameters().front().compute;
    weight.mutable_grad() = at::full({4}, value, weight.options().requires_grad(false));
  }
  double weight() const { return store.parameters().front().master[0].item<double>(); }
};

TEST(Optimizer, TheScaleActsOnTheProjectionsAlone) {
  ParameterStore store(at::kCPU, at::kFloat, 1);
  const ParameterScope scope = ParameterScope(store) / "encoder";
  for (const char* name : {"E.weight", "W.weight", "F.weight"}) scope.add(name, {4}, Init::kOnes);
  TrainingConfig config;
  config.beta1 = 0.0;
  config.beta2 = 0.0;
  config.projection_lr_scale = 0.25;
  Optimizer optimizer(store, config);
  for (const Parameter& parameter : store.parameters()) {
    parameter.compute.mutable_grad() = at::full({4}, 2.0);
  }
  optimizer.step(0.1);  // without memory every step of Adam is the rate itself
  const auto moved = [&](std::string_view name) {
    return 1.0 - store.find(name)->master[0].item<double>();
  };
  EXPECT_NEAR(moved("encoder.W.weight"), 0.1, 1e-6);
  EXPECT_NEAR(moved("encoder.E.weight"), 0.025, 1e-6);
  EXPECT_NEAR(moved("encoder.F.weight"), 0.025, 1e-6);
}

TEST(Optimizer, ClippingLimitsTheNormOfTheWholeGradient) {
  TrainingConfig config;
  config.gradient_clip = 1.0;
  config.beta1 = 0.0;
  config.beta2 = 0.0;
  config.epsilon = 1.0;  // makes the step depend on the gradient's size
  OneWeight one(at::kFloat);
  Optimizer optimizer(one.store, config);
  one.set_gradient(10.0);
  const StepOutcome outcome = optimizer.step(1.0);
  EXPECT_NEAR(outcome.gradient_norm.item<double>(), 20.0, 1e-5);
  EXPECT_NEAR(one.weight(), 1.0 - 0.5 / (0.5 + 1.0), 1e-5);
}

TEST(Optimizer, ANonFiniteGradientChangesNothingAndIsNamed) {
  OneWeight one(at::kFloat);
  Optimizer optimizer(one.store, TrainingConfig{});
  one.set_gradient(std::numeric_limits<double>::quiet_NaN());
  const StepOutcome outcome = optimizer.step(1.0);
  EXPECT_EQ(one.weight(), 1.0);
  EXPECT_EQ(optimizer.moments().front().exp_avg.abs().max().item<double>(), 0.0);
  EXPECT_FALSE(std::isfinite(outcome.gradient_norm.item<double>()));
  EXPECT_EQ(optimizer.first_non_finite(outcome), "w");
}

TEST(Optimizer, Bfloat16ShadowsFollowFloat32Masters) {
  OneWeight one(at::kBFloat16);
  Optimizer optimizer(one.store, TrainingConfig{});
  for (int i = 0; i < 10; ++i) {
    one.set_gradient(1.0);
    optimizer.step(1e-4);
  }
  EXPECT_NEAR(one.weight(), 1.0 - 1e-3, 2e-5);  // ten steps that bfloat16 alone could not hold
  const Parameter& parameter = one.store.parameters().front();
  EXPECT_TRUE(parameter.compute.equal(parameter.master.to(at::kBFloat16)));
}

TEST(Optimizer, AdamWDecaysWeightsByTheLearningRate) {
  TrainingConfig config;
  config.optimizer = OptimizerKind::kAdamW;
  config.weight_decay = 0.1;
  OneWeight one(at::kFloat);
  Optimizer optimizer(one.store, config);
  one.set_gradient(0.0);
  optimizer.step(0.5);
  EXPECT_NEAR(one.weight(), 1.0 - 0.5 * 0.1, 1e-6);
}

}  // namespace
}  // namespace linformer
