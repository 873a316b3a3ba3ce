// SPDX-License-Identifier: Apache-2.0
// On a CPU; tests/cuda/inference_test.cc has the recorded passes.
#include "engine/forward_pass.h"

#include <gtest/gtest.h>

#include "support/tensors.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

const DeviceChoice kCpu{.device = at::kCPU, .dtype = at::kFloat, .description = "cpu"};

/// The result of each path, at the same weights.
std::vector<at::Tensor> results(const std::string& kind, bool is_encoder_only, HeadOutput head) {
  const at::NoGradGuard no_grad;
  ModelConfig config = tiny_config(kind, 50);
  config.encoder_only = is_encoder_only;
  RandomModel model(config, kCpu, 1);
  const RandomSentences sentences(at::kCPU, 3, 12, 50, 2);
  std::vector<at::Tensor> out;
  for (const ForwardPath path : {ForwardPath::kUnfused, ForwardPath::kFused, ForwardPath::kOurs}) {
    const auto run = make_forward(model, sentences, {.path = path, .head = head});
    out.push_back(run());
    EXPECT_EQ(largest_difference(run().to(at::kFloat), out.back().to(at::kFloat)), 0.0)
        << "a second run differs";
  }
  out.push_back(make_forward(model, sentences, {.by_head = true, .head = head})());
  return out;
}

TEST(ForwardPass, AllPathsComputeTheSame) {
  for (const std::string& kind : kTinyKinds) {
    for (const bool is_encoder_only : {false, true}) {
      for (const HeadOutput head : {HeadOutput::kNone, HeadOutput::kLogits, HeadOutput::kSoftmax,
                                    HeadOutput::kNll, HeadOutput::kArgmax}) {
        SCOPED_TRACE(kind + std::to_string(static_cast<int>(head)));
        const std::vector<at::Tensor> out = results(kind, is_encoder_only, head);
        for (std::size_t i = 1; i < out.size(); ++i) {
          EXPECT_EQ(out[i].scalar_type(), out[0].scalar_type());
          EXPECT_LE(largest_difference(out[i].to(at::kDouble), out[0].to(at::kDouble)), 2e-5) << i;
        }
      }
    }
  }
}

TEST(RandomSentences, AreOneRectangleInTwoForms) {
  const RandomSentences sentences(at::kCPU, 3, 12, 50, 2);
  EXPECT_TRUE(sentences.plain.ids_T.equal(sentences.by_starts.ids_T.to(at::kLong)));
  EXPECT_EQ(sentences.targets_T.size(0), 36);
  EXPECT_LT(sentences.plain.ids_T.max().item<std::int64_t>(), 50);
  const RandomSentences others(at::kCPU, 3, 12, 50, 3);
  EXPECT_FALSE(sentences.plain.ids_T.equal(others.plain.ids_T));
}

TEST(RandomModel, CountsTheWeightsThatLayersRead) {
  DeviceChoice narrow = kCpu;
  narrow.dtype = at::kBFloat16;
  const ModelConfig config = tiny_config("linear", 50);
  EXPECT_EQ(RandomModel(config, kCpu, 1).weight_bytes,
            2 * RandomModel(config, narrow, 1).weight_bytes);
}

}  // namespace
}  // namespace linformer
