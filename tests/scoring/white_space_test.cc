// SPDX-License-Identifier: Apache-2.0
#include "scoring/white_space.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace linformer {
namespace {

TEST(WhiteSpace, HoldsPythonsTwentyNineCharacters) {
  std::size_t count = 0;
  for (char32_t code_point = 0; code_point <= 0x10FFFF; ++code_point)
    count += is_score_space(code_point) ? 1 : 0;
  EXPECT_EQ(count, 29U);
  for (const char32_t code_point :
       {U'\x1c', U'\x1f', U'\x85', U'\u1680', U'\u200a', U'\u2029', U'\u3000'}) {
    EXPECT_TRUE(is_score_space(code_point));
  }
  for (const char32_t code_point : {U'\u180e', U'\u200b', U'\ufeff', U'\u2060', U'\x1b', U'\x08'}) {
    EXPECT_FALSE(is_score_space(code_point));
  }
}

TEST(WhiteSpace, FieldsAreThePartsBetween) {
  std::vector<std::string> fields;
  for_each_field("\u3000ab  c\u00a0", [&](std::string_view field) { fields.emplace_back(field); });
  EXPECT_EQ(fields, (std::vector<std::string>{"ab", "c"}));
}

}  // namespace
}  // namespace linformer
