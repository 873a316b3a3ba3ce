// SPDX-License-Identifier: Apache-2.0
#include "kernels/dropout.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

namespace linformer {
namespace {

std::vector<float> drop_ones(std::uint64_t first, std::uint64_t count, const DropoutMask& mask) {
  const std::vector<float> ones(count, 1.0F);
  std::vector<float> out(count, -1.0F);
  apply_dropout(ones.data(), out.data(), first, count, mask);
  return out;
}

double share_kept(const std::vector<float>& x) {
  std::size_t kept = 0;
  for (const float value : x) kept += value != 0.0F;
  return static_cast<double>(kept) / static_cast<double>(x.size());
}

TEST(Dropout, KeepsTheGivenShareScaledByItsInverse) {
  for (const double probability : {0.0, 0.1, 0.3, 0.9}) {
    const std::vector<float> out = drop_ones(0, 1'000'000, make_dropout_mask(7, probability));
    EXPECT_NEAR(share_kept(out), 1.0 - probability, 0.002) << probability;  // 4 deviations
    for (const float value : out) {
      ASSERT_TRUE(value == 0.0F || value == static_cast<float>(1.0 / (1.0 - probability)));
    }
  }
}

TEST(Dropout, PartsGiveWhatTheWholeGives) {
  const DropoutMask mask = make_dropout_mask(0x123456789ABCDEF0, 0.5);
  const std::vector<float> whole = drop_ones(0, 1000, mask);
  for (std::uint64_t begin = 0; begin < 1000; begin += 37) {
    const std::uint64_t count = std::min<std::uint64_t>(37, 1000 - begin);
    const std::vector<float> part = drop_ones(begin, count, mask);
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(part[i], whole[begin + i]) << begin + i;
  }
  // Across the border of the 32-bit counter.
  const std::uint64_t border = (std::uint64_t{1} << 32) - 5;
  const std::vector<float> across = drop_ones(border, 10, mask);
  const std::vector<float> after = drop_ones(border + 5, 5, mask);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(across[5 + i], after[i]);
}

// Chance that two independent masks of probability 1/2 agree at a place: 1/2.
double agreement(const std::vector<float>& a, const std::vector<float>& b, std::size_t shift = 0) {
  std::size_t same = 0;
  for (std::size_t i = 0; i + shift < a.size(); ++i) same += a[i + shift] == b[i];
  return static_cast<double>(same) / static_cast<double>(a.size() - shift);
}

TEST(Dropout, MasksOfDifferentKeysAndPlacesAreUnrelated) {
  const std::uint64_t count = 200'000;
  const auto drop = [&](std::uint64_t key, std::uint64_t first = 0) {
    return drop_ones(first, count, make_dropout_mask(key, 0.5));
  };
  const std::vector<float> one = drop(1);
  for (const std::uint64_t key : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{3},
                                  std::uint64_t{1} << 32, (std::uint64_t{1} << 32) + 1}) {
    EXPECT_NEAR(agreement(one, drop(key)), 0.5, 0.006) << key;  // 5 deviations
  }
  EXPECT_NEAR(agreement(one, drop(1, std::uint64_t{1} << 32)), 0.5, 0.006);
  for (const std::size_t shift : {1, 2, 64, 128, 512}) {
    EXPECT_NEAR(agreement(one, one, shift), 0.5, 0.006) << shift;
  }
}

TEST(Dropout, TheTypesShareOneMaskAndRoundToNearest) {
  const DropoutMask mask = make_dropout_mask(99, 0.3);
  std::vector<float> wide(4096);
  std::vector<double> doubles(4096);
  std::vector<std::uint16_t> narrow(4096);
  for (std::size_t i = 0; i < wide.size(); ++i) {
    narrow[i] = std::bit_cast<std::uint32_t>(std::sin(static_cast<float>(i))) >> 16;
    wide[i] = std::bit_cast<float>(static_cast<std::uint32_t>(narrow[i]) << 16);
    doubles[i] = wide[i];
  }
  std::vector<float> wide_out(4096);
  apply_dropout(wide.data(), wide_out.data(), 3, 4096, mask);
  apply_dropout(doubles.data(), doubles.data(), 3, 4096, mask);  // in place
  apply_dropout(narrow.data(), narrow.data(), 3, 4096, mask);
  for (std::size_t i = 0; i < wide.size(); ++i) {
    EXPECT_NEAR(doubles[i], wide_out[i], 1e-6);
    const float rounded = std::bit_cast<float>(static_cast<std::uint32_t>(narrow[i]) << 16);
    EXPECT_LE(std::abs(rounded - wide_out[i]), std::abs(wide_out[i]) / 256) << i;
    EXPECT_EQ(rounded == 0.0F, wide_out[i] == 0.0F) << i;
  }
  std::uint16_t special[] = {0x7F80, 0xFF80, 0x7FC0};  // +-infinity and NaN stay what they are
  apply_dropout(special, special, 0, 3, make_dropout_mask(1, 0.0));
  EXPECT_EQ(special[0], 0x7F80);
  EXPECT_EQ(special[1], 0xFF80);
  EXPECT_EQ(special[2], 0x7FC0);
}

}  // namespace
}  // namespace linformer
