// SPDX-License-Identifier: Apache-2.0
#include "base/checked_math.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace linformer {
namespace {

constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
constexpr auto kMin = std::numeric_limits<std::int64_t>::min();

TEST(CheckedMath, ResultsThatFitAreExact) {
  EXPECT_EQ(checked_multiply<std::int64_t>(-3, 7), -21);
  EXPECT_EQ(checked_multiply<std::int64_t>(kMax, 1), kMax);
  EXPECT_EQ(checked_add<std::int64_t>(kMax - 1, 1), kMax);
  EXPECT_EQ(checked_add<std::int64_t>(kMax, kMin), -1);
}

TEST(CheckedMath, OverflowGivesNothing) {
  EXPECT_EQ(checked_multiply<std::int64_t>(kMax, 2), std::nullopt);
  EXPECT_EQ(checked_multiply<std::int64_t>(kMin, -1), std::nullopt);
  EXPECT_EQ(checked_add<std::int64_t>(kMax, 1), std::nullopt);
  EXPECT_EQ(checked_add<std::int64_t>(kMin, -1), std::nullopt);
  EXPECT_EQ(checked_multiply<std::uint32_t>(65536, 65536), std::nullopt);
  EXPECT_EQ(checked_add<std::uint8_t>(200, 100), std::nullopt);
}

}  // namespace
}  // namespace linformer
