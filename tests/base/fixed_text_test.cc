// SPDX-License-Identifier: Apache-2.0
#include "base/fixed_text.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

TEST(FixedText, RoundsTheExactValueHalfToEven) {
  EXPECT_EQ(fixed(18.681282071, 2), "18.68");
  EXPECT_EQ(fixed(0.125, 2), "0.12");
  EXPECT_EQ(fixed(0.375, 2), "0.38");
  EXPECT_EQ(fixed(1.005, 2), "1.00");  // the double lies below 1.005
  EXPECT_EQ(fixed(-2.5, 0), "-2");
}

TEST(FixedText, HoldsTheLargestDouble) { EXPECT_EQ(fixed(1.7976931348623157e308, 2).size(), 312U); }

}  // namespace
}  // namespace linformer
