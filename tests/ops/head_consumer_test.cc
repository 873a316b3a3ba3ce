// SPDX-License-Identifier: Apache-2.0
#include "ops/head_consumer.h"

#include <gtest/gtest.h>

#include "ops/token_nll.h"
#include "support/tensors.h"

namespace linformer {
namespace {

/// 150 rows whose chunks are 64 rows where the vocabulary is large.
struct Head {
  explicit Head(std::int64_t vocabulary, bool has_bias = true) {
    in.hidden_TM = random_tensor({150, 3}, 1);
    in.weight_VM = random_tensor({vocabulary, 3}, 2);
    if (has_bias) in.bias_V = random_tensor({vocabulary}, 3);
    in.targets_T = (at::arange(150, at::TensorOptions(at::kLong)) * 7919 + 3).remainder(vocabulary);
    logits = at::linear(in.hidden_TM, in.weight_VM,
                        has_bias ? std::optional<at::Tensor>(in.bias_V) : std::nullopt);
  }
  HeadInputs in;
  at::Tensor logits;
};

TEST(ConsumeHead, EachOutputIsThatOfTheWholeLogits) {
  for (const bool has_bias : {false, true}) {
    const Head head(19, has_bias);
    EXPECT_TRUE(consume_head(head.in, HeadOutput::kNone).is_same(head.in.hidden_TM));
    EXPECT_EQ(largest_difference(consume_head(head.in, HeadOutput::kLogits), head.logits), 0.0);
    EXPECT_LE(largest_difference(consume_head(head.in, HeadOutput::kSoftmax),
                                 at::softmax(head.logits, 1)),
              1e-14);
    EXPECT_LE(
        largest_difference(
            consume_head(head.in, HeadOutput::kNll),
            -at::log_softmax(head.logits, 1).gather(1, head.in.targets_T.unsqueeze(1)).squeeze(1)),
        1e-12);
    EXPECT_TRUE(consume_head(head.in, HeadOutput::kArgmax).equal(head.logits.argmax(1)));
  }
}

TEST(ConsumeHead, ChunksAreJoinedInOrder) {
  const Head head(std::int64_t{1} << 20);
  ASSERT_EQ(inference_chunk_rows(head.in.weight_VM), 64);
  EXPECT_TRUE(consume_head(head.in, HeadOutput::kArgmax).equal(head.logits.argmax(1)));
  const at::Tensor probabilities = consume_head(head.in, HeadOutput::kSoftmax);
  for (const std::int64_t t : {0, 63, 64, 128, 149}) {
    EXPECT_LE(largest_difference(probabilities[t], at::softmax(head.logits[t], 0)), 1e-14) << t;
  }
}

TEST(ConsumeHead, ProbabilitiesOfNarrowLogitsAreFloat32) {
  Head head(19);
  for (at::Tensor* x : {&head.in.hidden_TM, &head.in.weight_VM, &head.in.bias_V}) {
    *x = x->to(at::kBFloat16);
  }
  const at::Tensor out = consume_head(head.in, HeadOutput::kSoftmax);
  EXPECT_EQ(out.scalar_type(), at::kFloat);
  EXPECT_LE(largest_difference(out.sum(1), at::ones({150}, at::TensorOptions(at::kFloat))), 1e-5);
  EXPECT_EQ(consume_head(head.in, HeadOutput::kLogits).scalar_type(), at::kBFloat16);
}

TEST(ConsumeHead, LeavesNoGraph) {
  Head head(19);
  head.in.hidden_TM.set_requires_grad(true);
  for (const HeadOutput output : {HeadOutput::kLogits, HeadOutput::kSoftmax, HeadOutput::kNll}) {
    EXPECT_FALSE(consume_head(head.in, output).requires_grad());
  }
}

}  // namespace
}  // namespace linformer
