// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_cross_entropy.h"

#include <gtest/gtest.h>

#include "ops/token_nll.h"
#include "support/tensors.h"

namespace linformer {
namespace {

/// Leaves and targets; two cases of the same sizes hold the same values.
struct Case {
  at::Tensor hidden;
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor targets;

  Case(std::int64_t tokens, std::int64_t width, std::int64_t vocabulary, bool has_bias)
      : hidden(random_tensor({tokens, width}, 1).set_requires_grad(true)),
        weight(random_tensor({vocabulary, width}, 2).set_requires_grad(true)),
        targets(
            (at::arange(tokens, at::TensorOptions(at::kLong)) * 7919 + 3).remainder(vocabulary)) {
    if (has_bias) bias = random_tensor({vocabulary}, 3).set_requires_grad(true);
  }

  LinearCrossEntropyInputs inputs(double smoothing, double scale) const {
    return {hidden, weight, bias, targets, smoothing, scale};
  }

  /// log_softmax, gather and mean of `count` rows from `begin`.
  at::Tensor plain(std::int64_t begin, std::int64_t count, double smoothing, double scale) const {
    at::Tensor logits = at::linear(hidden.narrow(0, begin, count), weight);
    if (bias.defined()) logits = logits + bias;
    const at::Tensor log_p = at::log_softmax(logits, 1);
    const at::Tensor nll = -log_p.gather(1, targets.narrow(0, begin, count).unsqueeze(1)).sum();
    return ((1 - smoothing) * nll - smoothing * log_p.mean(1).sum()) * scale;
  }
};

void expect_same_gradients(const Case& got, const Case& want, double tolerance) {
  EXPECT_LE(largest_difference(got.hidden.grad(), want.hidden.grad()), tolerance);
  EXPECT_LE(largest_difference(got.weight.grad(), want.weight.grad()), tolerance);
  if (got.bias.defined())
    EXPECT_LE(largest_difference(got.bias.grad(), want.bias.grad()), tolerance);
}

TEST(LinearCrossEntropy, EqualsThePlainCompositionInValueAndGradients) {
  for (const bool has_bias : {false, true}) {
    for (const double smoothing : {0.0, 0.1}) {
      for (const double factor : {1.0, 3.0}) {
        const Case got(7, 5, 11, has_bias);
        const Case want(7, 5, 11, has_bias);
        const LinearCrossEntropyResult result = linear_cross_entropy(got.inputs(smoothing, 0.37));
        const at::Tensor plain = want.plain(0, 7, smoothing, 0.37);
        EXPECT_LE(largest_difference(result.loss, plain), 1e-12);
        EXPECT_LE(largest_difference(result.nll_sum, want.plain(0, 7, 0.0, 1.0)), 1e-12);
        (result.loss * factor).backward();
        (plain * factor).backward();
        expect_same_gradients(got, want, 1e-12);
      }
    }
  }
}

TEST(LinearCrossEntropy, SeveralChunksAddUp) {
  constexpr std::int64_t kVocabulary = std::int64_t{1} << 20;
  const Case got(150, 2, kVocabulary, true);
  const Case want(150, 2, kVocabulary, true);
  ASSERT_EQ(logit_chunk_rows(got.weight), 64);
  const LinearCrossEntropyResult result = linear_cross_entropy(got.inputs(0.1, 0.01));
  result.loss.backward();
  double loss = 0;
  for (std::int64_t begin = 0; begin < 150; begin += 25) {
    const at::Tensor part = want.plain(begin, 25, 0.1, 0.01);
    part.backward();
    loss += part.item<double>();
  }
  EXPECT_NEAR(result.loss.item<double>(), loss, 1e-9);
  EXPECT_NEAR(result.nll_sum.item<double>(),
              token_nll(got.hidden, got.weight, got.bias, got.targets).sum().item<double>(), 1e-8);
  expect_same_gradients(got, want, 1e-10);
}

TEST(LinearCrossEntropy, TheUnsmoothedSumHasNoGradient) {
  const Case one(4, 3, 6, false);
  const LinearCrossEntropyResult result = linear_cross_entropy(one.inputs(0.1, 1.0));
  EXPECT_TRUE(result.loss.requires_grad());
  EXPECT_FALSE(result.nll_sum.requires_grad());
}

TEST(LinearCrossEntropy, WithoutGradModeTheValueIsTheSameAndThereIsNoGraph) {
  const Case one(4, 3, 6, true);
  const double want = linear_cross_entropy(one.inputs(0.1, 1.0)).loss.item<double>();
  const at::NoGradGuard no_grad;
  const at::Tensor loss = linear_cross_entropy(one.inputs(0.1, 1.0)).loss;
  EXPECT_EQ(loss.item<double>(), want);
  EXPECT_FALSE(loss.requires_grad());
  EXPECT_FALSE(one.weight.grad().defined());
}

TEST(LinearCrossEntropy, BFloat16IsNormalisedInFloat32AndKeepsItsTypeInGradients) {
  const Case wide(30, 8, 40, true);
  const auto narrow = [](const at::Tensor& x) {
    return x.detach().to(at::kBFloat16).set_requires_grad(true);
  };
  const at::Tensor hidden = narrow(wide.hidden);
  const at::Tensor weight = narrow(wide.weight);
  const at::Tensor loss =
      linear_cross_entropy({hidden, weight, narrow(wide.bias), wide.targets, 0.1, 1.0 / 30}).loss;
  EXPECT_EQ(loss.scalar_type(), at::kFloat);
  EXPECT_NEAR(loss.item<double>(), wide.plain(0, 30, 0.1, 1.0 / 30).item<double>(), 0.05);
  loss.backward();
  EXPECT_EQ(weight.grad().scalar_type(), at::kBFloat16);
  EXPECT_EQ(hidden.grad().scalar_type(), at::kBFloat16);
}

TEST(LinearCrossEntropy, ShapesThatDisagreeAreRefused) {
  const Case one(4, 3, 6, false);
  LinearCrossEntropyInputs inputs = one.inputs(0.0, 1.0);
  inputs.targets_T = inputs.targets_T.narrow(0, 0, 3);
  EXPECT_THROW(linear_cross_entropy(inputs), c10::Error);
  inputs = one.inputs(0.0, 1.0);
  inputs.weight_VM = random_tensor({6, 4}, 1);
  EXPECT_THROW(linear_cross_entropy(inputs), c10::Error);
}

TEST(LinearCrossEntropy, ABiasAloneMayBeTrained) {
  const auto options = at::TensorOptions(at::kDouble);
  at::Tensor bias = at::zeros({3}, options);
  bias.set_requires_grad(true);
  const LinearCrossEntropyResult result =
      linear_cross_entropy({at::ones({1, 2}, options), at::zeros({3, 2}, options), bias,
                            at::full({1}, 1, at::TensorOptions(at::kLong))});
  result.loss.backward();
  EXPECT_NEAR(bias.grad()[0].item<double>(), 1.0 / 3, 1e-12);
  EXPECT_NEAR(bias.grad()[1].item<double>(), 1.0 / 3 - 1, 1e-12);
}

}  // namespace
}  // namespace linformer
