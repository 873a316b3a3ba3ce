// SPDX-License-Identifier: Apache-2.0
#include "text/added_token_matcher.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

AddedToken token(std::int32_t id, std::string content, bool left = false, bool right = false) {
  return {.id = id,
          .content = std::move(content),
          .special = true,
          .left_strip = left,
          .right_strip = right,
          .normalized = false};
}

/// "begin-end=id" of every match.
std::vector<std::string> matches(const AddedTokenMatcher& matcher, std::string_view text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (const auto match = matcher.find(text, begin)) {
    out.push_back(std::to_string(match->begin) + "-" + std::to_string(match->end) + "=" +
                  std::to_string(match->id));
    begin = match->end;
  }
  return out;
}

using Matches = std::vector<std::string>;

TEST(AddedTokenMatcher, TheLeftmostAndThenTheLongestWins) {
  const std::vector<AddedToken> tokens{token(1, "<s>"), token(2, "<s>x"), token(3, "s>xy")};
  const AddedTokenMatcher matcher(tokens);
  EXPECT_EQ(matches(matcher, "a<s>xy<s>"), (Matches{"1-5=2", "6-9=1"}));
  EXPECT_EQ(matches(matcher, "as>xy"), (Matches{"1-5=3"}));
  EXPECT_EQ(matches(matcher, "<<s>>"), (Matches{"1-4=1"}));
  EXPECT_EQ(matches(matcher, "<s< s>"), (Matches{}));
}

TEST(AddedTokenMatcher, LeftStripTakesAllWhiteSpaceBeforeButNoEarlierMatch) {
  const std::vector<AddedToken> tokens{token(4, "<mask>", true), token(1, "<s>")};
  const AddedTokenMatcher matcher(tokens);
  EXPECT_EQ(matches(matcher, "a \u00a0\u3000\t<mask>"), (Matches{"1-14=4"}));
  EXPECT_EQ(matches(matcher, "<s> <mask> <mask>"), (Matches{"0-3=1", "3-10=4", "10-17=4"}));
  EXPECT_EQ(matches(matcher, "\u200b<mask>"), (Matches{"3-9=4"}));
  EXPECT_EQ(matches(matcher, "\x85<mask>"), (Matches{"1-7=4"}));
}

TEST(AddedTokenMatcher, RightStripTakesAllWhiteSpaceAfter) {
  const std::vector<AddedToken> tokens{token(4, "<r>", false, true)};
  const AddedTokenMatcher matcher(tokens);
  EXPECT_EQ(matches(matcher, "<r> \u2028 a"), (Matches{"0-8=4"}));
  EXPECT_EQ(matches(matcher, "<r>\xE2\x80"), (Matches{"0-3=4"}));
  EXPECT_EQ(matches(matcher, "<r>  "), (Matches{"0-5=4"}));
}

TEST(AddedTokenMatcher, NoTokensMatchNothing) {
  EXPECT_EQ(matches(AddedTokenMatcher(), "<s>"), (Matches{}));
  EXPECT_EQ(matches(AddedTokenMatcher(std::vector<AddedToken>{}), "<s>"), (Matches{}));
}

}  // namespace
}  // namespace linformer
