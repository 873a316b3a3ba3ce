// SPDX-License-Identifier: Apache-2.0
#include "ops/token_nll.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

at::Tensor targets(std::int64_t count, std::int64_t vocabulary) {
  return (at::arange(count, at::TensorOptions(at::kLong)) * 7919 + 3).remainder(vocabulary);
}

at::Tensor plain(const at::Tensor& logits_TV, const at::Tensor& targets_T) {
  return -at::log_softmax(logits_TV, 1).gather(1, targets_T.unsqueeze(1)).squeeze(1);
}

TEST(TokenNll, IsWhatLogSoftmaxHasAtTheTarget) {
  const at::Tensor hidden = random_tensor({9, 5}, 1);
  const at::Tensor weight = random_tensor({13, 5}, 2);
  const at::Tensor bias = random_tensor({13}, 3);
  const at::Tensor target = targets(9, 13);
  const at::Tensor logits = at::linear(hidden, weight);
  EXPECT_LE(largest_difference(token_nll(hidden, weight, {}, target), plain(logits, target)),
            1e-12);
  EXPECT_LE(
      largest_difference(token_nll(hidden, weight, bias, target), plain(logits + bias, target)),
      1e-12);
}

TEST(TokenNll, ChunksAreJoinedInOrder) {
  const at::Tensor hidden = random_tensor({150, 2}, 1);
  const at::Tensor weight = random_tensor({std::int64_t{1} << 20, 2}, 2);
  ASSERT_EQ(logit_chunk_rows(weight), 64);
  const at::Tensor target = targets(150, weight.size(0));
  const at::Tensor all = token_nll(hidden, weight, {}, target);
  for (const std::int64_t t : {0, 63, 64, 127, 128, 149}) {
    const at::Tensor row = at::linear(hidden.narrow(0, t, 1), weight);
    EXPECT_LE(largest_difference(all.narrow(0, t, 1), plain(row, target.narrow(0, t, 1))), 1e-11)
        << t;
  }
}

TEST(TokenNll, LogitsFarApartStayFiniteAndNarrowTypesGiveFloat32) {
  const at::Tensor hidden = at::full({1, 1}, 1000.0, at::TensorOptions(at::kBFloat16));
  const at::Tensor weight =
      at::cat({at::ones({1, 1}, hidden.options()), -at::ones({1, 1}, hidden.options())});
  const at::Tensor out = token_nll(hidden, weight, {}, at::ones({1}, at::TensorOptions(at::kLong)));
  EXPECT_EQ(out.scalar_type(), at::kFloat);
  EXPECT_EQ(out.item<double>(), 2000.0);
}

TEST(TokenNll, LeavesNoGraph) {
  const at::Tensor hidden = random_tensor({3, 2}, 1).set_requires_grad(true);
  EXPECT_FALSE(token_nll(hidden, random_tensor({4, 2}, 2), {}, targets(3, 4)).requires_grad());
}

TEST(TokenNll, TargetsThatDoNotFitAreRefused) {
  EXPECT_THROW(token_nll(random_tensor({3, 2}, 1), random_tensor({4, 2}, 2), {}, targets(2, 4)),
               c10::Error);
}

TEST(LogitChunkRows, KeepChunksAt256MiBAndHaveAFloor) {
  const auto rows = [](std::int64_t vocabulary) {
    return logit_chunk_rows(at::empty({vocabulary, 1}, at::TensorOptions(at::kFloat)));
  };
  EXPECT_EQ(rows(1 << 14), 4096);
  EXPECT_EQ(rows(1 << 19), 128);
  EXPECT_EQ(rows(1 << 22), 64);
}

}  // namespace
}  // namespace linformer
