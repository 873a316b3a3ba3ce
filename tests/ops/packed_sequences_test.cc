// SPDX-License-Identifier: Apache-2.0
#include "ops/packed_sequences.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

PackedSequences pack(const std::vector<std::int64_t>& lengths) {
  std::int64_t total = 0;
  for (const std::int64_t length : lengths) total += length;
  std::vector<std::int64_t> ids(static_cast<std::size_t>(total));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(100 + i);
  return pack_sequences(ids, lengths, at::kCPU);
}

std::vector<std::int64_t> values(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kLong).contiguous();
  return {flat.data_ptr<std::int64_t>(), flat.data_ptr<std::int64_t>() + flat.numel()};
}

using Values = std::vector<std::int64_t>;

TEST(PackedSequences, KnowWhereEachTokenStands) {
  const PackedSequences packed = pack({2, 4, 1});
  EXPECT_EQ(packed.batch_size(), 3);
  EXPECT_EQ(packed.max_length, 4);
  EXPECT_EQ(packed.num_tokens, 7);
  EXPECT_EQ(values(packed.ids_T), (Values{100, 101, 102, 103, 104, 105, 106}));
  EXPECT_EQ(values(packed.positions_T), (Values{0, 1, 0, 1, 2, 3, 0}));
  EXPECT_EQ(values(packed.rows_R), (Values{0, 1, 4, 5, 6, 7, 8}));
  EXPECT_EQ(values(packed.mask_BN), (Values{1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0}));
}

TEST(PackedSequences, OfOneLengthHaveNoMaskAndEqualARectangle) {
  const PackedSequences packed = pack({3, 3});
  const PackedSequences rectangle = pack_rectangle(packed.ids_T.view({2, 3}));
  EXPECT_FALSE(packed.is_ragged());
  EXPECT_FALSE(rectangle.is_ragged());
  EXPECT_EQ(rectangle.lengths, packed.lengths);
  EXPECT_EQ(values(rectangle.positions_T), values(packed.positions_T));
  EXPECT_EQ(values(rectangle.rows_R), values(packed.rows_R));
  EXPECT_EQ(values(rectangle.lengths_B), values(packed.lengths_B));
}

TEST(PackedSequences, ARectangleByStartsSaysWhereEachSequenceBegins) {
  const at::Tensor ids = at::arange(6, at::TensorOptions(at::kLong)).view({2, 3});
  const PackedSequences out = pack_rectangle_by_starts(ids);
  EXPECT_TRUE(out.has_starts());
  EXPECT_TRUE(out.is_rectangle());
  EXPECT_TRUE(out.start_B1.equal(at::arange(0, 7, 3, at::TensorOptions(at::kInt))));
  EXPECT_EQ(out.ids_T.scalar_type(), at::kInt);
  EXPECT_EQ(out.positions_T.scalar_type(), at::kInt);
  EXPECT_EQ(out.positions_T[4].item<std::int64_t>(), 1);
  EXPECT_TRUE(pack_rectangle(ids).is_rectangle());
  EXPECT_FALSE(pack_by_starts(out.ids_T, out.positions_T, out.start_B1, 3).is_rectangle());
  const std::vector<std::int64_t> two{1, 2};
  const std::vector<std::int64_t> lengths{1, 1};
  EXPECT_TRUE(pack_sequences(two, lengths, at::kCPU).is_rectangle());
  EXPECT_FALSE(pack_sequences(two, lengths, at::kCPU, /*num_rows=*/3).is_rectangle());
}

TEST(PackedSequences, RepackUndoesUnpackAndPadsAreExactlyZero) {
  for (const Values& lengths : {Values{2, 5, 1}, Values{4, 4}, Values{1}}) {
    const PackedSequences packed = pack(lengths);
    const at::Tensor x_TM = random_tensor({packed.num_tokens, 3}, 1);
    const at::Tensor x_BNM = unpack(x_TM, packed);
    EXPECT_EQ(largest_difference(repack(x_BNM, packed), x_TM), 0.0);
    EXPECT_EQ((x_BNM != 0).sum().item<std::int64_t>(), x_TM.numel());
    EXPECT_EQ(largest_difference(x_BNM[0][0], x_TM[0]), 0.0);
  }
}

TEST(PackedSequences, UnpackAndRepackHaveTheGradientsOfFiniteDifferences) {
  for (const Values& lengths : {Values{2, 4, 1}, Values{3, 3}}) {
    const PackedSequences packed = pack(lengths);
    const std::int64_t batch = packed.batch_size();
    const at::Tensor padded_factor = random_tensor({batch, packed.max_length, 2}, 2);
    const auto of_unpack = [&](const at::Tensor& x) {
      return (unpack(x, packed).pow(3) * padded_factor).sum();
    };
    const at::Tensor x_TM = random_tensor({packed.num_tokens, 2}, 3);
    EXPECT_LE(
        largest_difference(autograd_gradient(of_unpack, x_TM), numeric_gradient(of_unpack, x_TM)),
        1e-7);
    const at::Tensor factor = random_tensor({packed.num_tokens, 2}, 4);
    const auto of_repack = [&](const at::Tensor& x) {
      return (repack(x, packed).pow(3) * factor).sum();
    };
    const at::Tensor x_BNM = random_tensor({batch, packed.max_length, 2}, 5);
    const at::Tensor gradient = autograd_gradient(of_repack, x_BNM);
    EXPECT_LE(largest_difference(gradient, numeric_gradient(of_repack, x_BNM)), 1e-7);
    if (packed.is_ragged()) {
      EXPECT_EQ(gradient.masked_select(packed.mask_BN.logical_not().unsqueeze(2))
                    .abs()
                    .max()
                    .item<double>(),
                0.0);
    }
  }
}

TEST(PackedSequences, SizesThatDisagreeAreRefused) {
  EXPECT_THROW(pack({}), c10::Error);
  EXPECT_THROW(pack({3, 0}), c10::Error);
  EXPECT_THROW(pack_sequences(Values{1, 2, 3}, Values{1, 1}, at::kCPU), c10::Error);
  const PackedSequences packed = pack({2, 3});
  EXPECT_THROW(unpack(random_tensor({6, 2}, 1), packed), c10::Error);
  EXPECT_THROW(repack(random_tensor({2, 4, 2}, 1), packed), c10::Error);
  EXPECT_THROW(repack(random_tensor({3, 3, 2}, 1), packed), c10::Error);
}

TEST(PackedSequences, MayHaveRowsAtTheEndThatReachNothing) {
  const std::vector<std::int64_t> ids{7, 8, 9};
  const std::vector<std::int64_t> lengths{2, 1};
  const PackedSequences packed = pack_sequences(ids, lengths, at::kCPU, 5);
  EXPECT_EQ(values(packed.ids_T), (Values{7, 8, 9, 0, 0}));
  EXPECT_EQ(values(packed.positions_T), (Values{0, 1, 0, 0, 0}));
  EXPECT_EQ(packed.num_rows(), 5);
  EXPECT_EQ(packed.num_tokens, 3);
  const at::Tensor x = random_tensor({5, 2}, 1);
  const at::Tensor y = repack(unpack(x, packed), packed);
  EXPECT_EQ(largest_difference(y.narrow(0, 0, 3), x.narrow(0, 0, 3)), 0.0);
  EXPECT_EQ(y.narrow(0, 3, 2).abs().max().item<double>(), 0.0);
  EXPECT_THROW(pack_sequences(ids, lengths, at::kCPU, 2), c10::Error);
  EXPECT_THROW(unpack(x.narrow(0, 0, 3), packed), c10::Error);
}

}  // namespace
}  // namespace linformer
