// SPDX-License-Identifier: Apache-2.0
#include "config/number_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <limits>
#include <random>

namespace linformer {
namespace {

TEST(NumberText, IsShortAndPlainWhereItCan) {
  EXPECT_EQ(number_text(0.0), "0");
  EXPECT_EQ(number_text(512.0), "512");
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(7e-4), "0.0007");
  EXPECT_EQ(number_text(1e-6), "1.0e-06");
  EXPECT_EQ(number_text(1.5e-9), "1.5e-09");
  EXPECT_EQ(number_text(-1e20), "-1.0e+20");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), ".inf");
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), ".nan");
}

TEST(NumberText, ReadsBackAsTheSameNumber) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = number_text(value);
    double again = 0;
    std::from_chars(text.data(), text.data() + text.size(), again);
    ASSERT_EQ(again, value) << text;
  }
}

}  // namespace
}  // namespace linformer
