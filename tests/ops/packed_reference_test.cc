// SPDX-License-Identifier: Apache-2.0
#include "ops/packed_reference.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

at::Tensor starts(std::vector<std::int32_t> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return at::from_blob(values.data(), {count}, at::kInt).clone();
}

void expect_right_gradient(const std::function<at::Tensor(const at::Tensor&)>& loss,
                           const at::Tensor& x) {
  EXPECT_LE(largest_difference(autograd_gradient(loss, x), numeric_gradient(loss, x)), 1e-7);
}

// Sequences of 5, 0, 2 and 9 tokens.
const at::Tensor kStarts = starts({0, 5, 5, 7, 16});
constexpr std::int64_t kTokens = 16;
constexpr std::int64_t kWidth = 4;
constexpr std::int64_t kHeads = 2;

const at::Tensor kKeysValues = random_tensor({kTokens, 2 * kWidth}, 1);
const at::Tensor kE = random_tensor({4, 9}, 2);
const at::Tensor kF = random_tensor({4, 9}, 3);

TEST(ProjectEachLength, DividesSlotsByTheirTokens) {
  const ShortenedSequences out = project_each_length(kKeysValues, kE, kF, kStarts, false);
  EXPECT_EQ(largest_difference(out.slot_start_B1, starts({0, 4, 4, 6, 10})), 0);
  EXPECT_EQ(out.max_slots, 4);
  // Slot 0 of the last sequence has tokens 0, 4 and 8, slot 1 tokens 1 and 5.
  const at::Tensor last_N2M = kKeysValues.narrow(0, 7, 9);
  const at::Tensor key_M = at::mm(kE.narrow(0, 0, 1), last_N2M.narrow(1, 0, kWidth))[0] / 3.0;
  const at::Tensor value_M =
      at::mm(kF.narrow(0, 1, 1), last_N2M.narrow(1, kWidth, kWidth))[0] / 2.0;
  EXPECT_LE(largest_difference(out.key_value_S2M[6].narrow(0, 0, kWidth), key_M), 1e-12);
  EXPECT_LE(largest_difference(out.key_value_S2M[7].narrow(0, kWidth, kWidth), value_M), 1e-12);
  // The sequence of two tokens has two slots of one each.
  const at::Tensor two_M = at::mm(kE.narrow(1, 0, 2), kKeysValues.slice(0, 5, 7, 1))[1];
  EXPECT_LE(
      largest_difference(out.key_value_S2M[5].narrow(0, 0, kWidth), two_M.narrow(0, 0, kWidth)),
      1e-12);
}

TEST(ProjectEachLength, HasAllSlotsUndividedOnDemand) {
  const ShortenedSequences out = project_each_length(kKeysValues, kE, kF, kStarts, true);
  EXPECT_EQ(largest_difference(out.slot_start_B1, starts({0, 4, 8, 12, 16})), 0);
  const at::Tensor first_KM =
      at::mm(kE.narrow(1, 0, 5), kKeysValues.narrow(0, 0, 5).narrow(1, 0, kWidth));
  EXPECT_LE(largest_difference(out.key_value_S2M.narrow(0, 0, 4).narrow(1, 0, kWidth), first_KM),
            1e-12);
  EXPECT_EQ(out.key_value_S2M.narrow(0, 4, 4).abs().max().item<double>(), 0.0);  // no tokens
}

TEST(ProjectEachLength, HasTheGradientsOfFiniteDifferences) {
  for (const bool all_slots : {false, true}) {
    const std::int64_t rows = all_slots ? 16 : 10;
    const at::Tensor factor = random_tensor({rows, 2 * kWidth}, 4);
    const auto loss = [&](const at::Tensor& kv, const at::Tensor& E, const at::Tensor& F) {
      return (project_each_length(kv, E, F, kStarts, all_slots).key_value_S2M * factor).sum();
    };
    expect_right_gradient([&](const at::Tensor& x) { return loss(x, kE, kF); }, kKeysValues);
    expect_right_gradient([&](const at::Tensor& x) { return loss(kKeysValues, x, kF); }, kE);
    expect_right_gradient([&](const at::Tensor& x) { return loss(kKeysValues, kE, x); }, kF);
  }
}

TEST(ProjectEachLength, RefusesSequencesThatAreTooLong) {
  EXPECT_THROW(
      project_each_length(kKeysValues, kE.narrow(1, 0, 8), kF.narrow(1, 0, 8), kStarts, true),
      c10::Error);
  EXPECT_THROW(project_each_length(kKeysValues, kE, kF, starts({0, 5}), true), c10::Error);
  EXPECT_THROW(project_each_length(kKeysValues, kE, kF, starts({0, 9, 5, 16}), true), c10::Error);
}

TEST(PoolEachSegment, WeighsTheTokensOfASegmentBySoftmax) {
  const at::Tensor scores_TH = random_tensor({kTokens, kHeads}, 5);
  const ShortenedSequences out = pool_each_segment(kKeysValues, scores_TH, kStarts, 4);
  EXPECT_EQ(largest_difference(out.slot_start_B1, starts({0, 4, 4, 6, 10})), 0);
  // Two tokens fit: they are their slots.
  EXPECT_EQ(largest_difference(out.key_value_S2M.slice(0, 4, 6, 1), kKeysValues.slice(0, 5, 7, 1)),
            0.0);
  // Of nine tokens in four slots the first three (0, 4 and 8 quarters) share slot 0.
  const at::Tensor share_NH = scores_TH.narrow(0, 7, 3).softmax(0);
  const at::Tensor kv_N2HD = kKeysValues.narrow(0, 7, 3).unflatten(1, {2, kHeads, -1});
  const at::Tensor mean = (kv_N2HD * share_NH.unsqueeze(1).unsqueeze(3)).sum(0).flatten();
  EXPECT_LE(largest_difference(out.key_value_S2M[6], mean), 1e-12);
}

TEST(PoolEachSegment, HasTheGradientsOfFiniteDifferences) {
  const at::Tensor factor = random_tensor({10, 2 * kWidth}, 4);
  const at::Tensor scores_TH = random_tensor({kTokens, kHeads}, 5);
  const auto loss = [&](const at::Tensor& kv, const at::Tensor& scores) {
    return (pool_each_segment(kv, scores, kStarts, 4).key_value_S2M * factor).sum();
  };
  expect_right_gradient([&](const at::Tensor& x) { return loss(x, scores_TH); }, kKeysValues);
  expect_right_gradient([&](const at::Tensor& x) { return loss(kKeysValues, x); }, scores_TH);
}

at::Tensor heads_of(const at::Tensor& x_TM) { return x_TM.unflatten(1, {kHeads, -1}); }

TEST(AttendEachByStarts, ComputesAttentionOfEachSequence) {
  const at::Tensor query = random_tensor({6, kWidth}, 6);
  const AttentionStarts where{starts({0, 3, 4, 6, 6}), kStarts, 3, 9};
  const auto parts = kKeysValues.chunk(2, 1);
  const at::Tensor out =
      attend_each_by_starts(heads_of(query), heads_of(parts[0]), heads_of(parts[1]), where, false);
  EXPECT_EQ(out[3].abs().max().item<double>(), 0.0);  // its sequence has no keys
  const at::Tensor scores_H35 = at::matmul(heads_of(query.narrow(0, 0, 3)).transpose(0, 1),
                                           heads_of(parts[0].narrow(0, 0, 5)).permute({1, 2, 0})) /
                                std::sqrt(2.0);
  const at::Tensor first =
      at::matmul(scores_H35.softmax(-1), heads_of(parts[1].narrow(0, 0, 5)).transpose(0, 1));
  EXPECT_LE(largest_difference(out.narrow(0, 0, 3), first.transpose(0, 1).flatten(1)), 1e-12);
}

TEST(AttendEachByStarts, StandsInForTheAccelerator) {
  const at::Tensor qkv = random_tensor({kTokens, 3 * kWidth}, 7);
  const AttentionStarts where{kStarts, kStarts, 9, 9};
  const auto parts = qkv.unflatten(1, {3, kHeads, -1}).unbind(1);
  EXPECT_EQ(largest_difference(attend_packed_self(qkv, where, kHeads, true),
                               attend_each_by_starts(parts[0], parts[1], parts[2], where, true)),
            0.0);
  const at::Tensor factor = random_tensor({kTokens, kWidth}, 8);
  expect_right_gradient(
      [&](const at::Tensor& x) {
        return (attend_packed_self(x, where, kHeads, true) * factor).sum();
      },
      qkv);
}

}  // namespace
}  // namespace linformer
