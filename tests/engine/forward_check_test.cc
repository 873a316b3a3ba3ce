// SPDX-License-Identifier: Apache-2.0
#include "engine/forward_check.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensors.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

const std::vector<HeadOutput> kOutputs{HeadOutput::kNone, HeadOutput::kLogits, HeadOutput::kSoftmax,
                                       HeadOutput::kNll, HeadOutput::kArgmax};

/// More rows than one chunk.
HeadInputs some_head() {
  const at::TensorOptions whole(at::kLong);
  return {.hidden_TM = random_tensor({700, 6}, 1).to(at::kFloat),
          .weight_VM = random_tensor({40, 6}, 2).to(at::kFloat),
          .bias_V = random_tensor({40}, 3).to(at::kFloat),
          .targets_T = (at::arange(700, whole) * 31).remainder(40)};
}

TEST(RelativeError, IsZeroForTheReferenceItself) {
  const HeadInputs head = some_head();
  for (const HeadOutput output : kOutputs) {
    EXPECT_LE(relative_error(head, output, consume_head(head, output)), 1e-6);
  }
}

TEST(RelativeError, IsLargeWhereRowsAreMovedAndInfiniteWithoutNumbers) {
  const HeadInputs head = some_head();
  for (const HeadOutput output : kOutputs) {
    SCOPED_TRACE(static_cast<int>(output));
    const at::Tensor right = consume_head(head, output);
    EXPECT_GT(relative_error(head, output, right.roll({1}, {0})), 0.5);
    if (right.scalar_type() == at::kLong) continue;
    at::Tensor broken = right.clone();
    broken.flatten()[5].fill_(std::numeric_limits<double>::quiet_NaN());
    EXPECT_TRUE(std::isinf(relative_error(head, output, broken)));
  }
}

TEST(RelativeError, IsTheShareOfTheSpread) {
  const HeadInputs head = some_head();
  const at::Tensor logits = consume_head(head, HeadOutput::kLogits);
  const double spread = logits.std(/*unbiased=*/false).item<double>();
  EXPECT_NEAR(relative_error(head, HeadOutput::kLogits, logits + 0.01 * spread), 0.01, 1e-5);
  EXPECT_NEAR(relative_error(head, HeadOutput::kLogits, logits * 1.0), 0.0, 1e-7);
}

TEST(ReferenceModel, HasTheRoundedWeightsOfTheTimedModelInFloat32) {
  DeviceChoice device{.device = at::kCPU, .dtype = at::kBFloat16, .description = "cpu"};
  const ModelConfig config = tiny_config("linear", 50);
  RandomModel timed(config, device, 5);
  sharpen_attention(*timed.store);
  const RandomModel reference = reference_model(config, device, 5);
  for (const Parameter& parameter : timed.store->parameters()) {
    const at::Tensor other = reference.store->find(parameter.name)->compute;
    EXPECT_EQ(other.scalar_type(), at::kFloat);
    EXPECT_EQ(largest_difference(other, parameter.compute.to(at::kFloat)), 0.0) << parameter.name;
  }
}

TEST(SharpenAttention, MakesAWrongAttentionShowInTheResults) {
  const at::NoGradGuard no_grad;
  const DeviceChoice device{.device = at::kCPU, .dtype = at::kFloat, .description = "cpu"};
  ModelConfig config = tiny_config("compat_vanilla", 50);
  config.encoder_only = true;
  const RandomSentences sentences(at::kCPU, 1, 256, 50, 2);
  // A model whose keys are all the same attends to all tokens alike.
  const auto effect = [&](bool is_sharp) {
    RandomModel right(config, device, 5);
    RandomModel wrong(config, device, 5);
    for (RandomModel* model : {&right, &wrong}) {
      if (is_sharp) sharpen_attention(*model->store);
    }
    for (const Parameter& parameter : wrong.store->parameters()) {
      if (parameter.name.ends_with("qkv_proj.weight")) parameter.master.narrow(0, 16, 16).zero_();
    }
    const HeadInputs reference{.hidden_TM = forward_hidden(*right.model, sentences.plain, {}),
                               .weight_VM = {},
                               .bias_V = {},
                               .targets_T = {}};
    return relative_error(reference, HeadOutput::kNone,
                          forward_hidden(*wrong.model, sentences.plain, {}));
  };
  EXPECT_GT(effect(true), 2 * error_tolerance(at::kBFloat16));
  EXPECT_GT(effect(true), 3 * effect(false));
}

}  // namespace
}  // namespace linformer
