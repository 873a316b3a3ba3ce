// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace linformer {
namespace {

bool is_scalar(char32_t code_point) { return code_point < 0xD800 || code_point > 0xDFFF; }

TEST(Utf8, EveryScalarValueSurvivesARoundTrip) {
  for (char32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    if (!is_scalar(code_point)) continue;
    std::string text;
    utf8_append(text, code_point);
    ASSERT_EQ(utf8_sequence_length(text, 0), text.size()) << std::uint32_t{code_point};
    std::size_t position = 0;
    ASSERT_EQ(utf8_decode(text, position), code_point);
    ASSERT_EQ(position, text.size());
  }
}

TEST(Utf8, MalformedSequencesHaveLengthZero) {
  using namespace std::literals;
  for (const std::string_view text :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv,
        "\xed\xbf\xbf"sv, "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv,
        "\xff"sv, "\xc3"sv, "\xe2\x82"sv, "\xf0\x9f\x98"sv, "\xc3("sv, "\xe2\x28\xa1"sv}) {
    EXPECT_EQ(utf8_sequence_length(text, 0), 0U) << testing::PrintToString(text);
    EXPECT_EQ(utf8_first_invalid(text), 0U);
  }
}

TEST(Utf8, FirstInvalidIsFoundAtEveryOffset) {
  for (std::size_t prefix = 0; prefix < 40; ++prefix) {
    std::string text(prefix, 'a');
    EXPECT_EQ(utf8_first_invalid(text), std::nullopt);
    text += '\xff';
    text += "some more text";
    EXPECT_EQ(utf8_first_invalid(text), prefix);
  }
}

TEST(Utf8, TextOfAllLengthsIsValid) {
  EXPECT_EQ(utf8_first_invalid(""), std::nullopt);
  EXPECT_EQ(utf8_first_invalid("Grüße — 日本語 😀 und ASCII bis zum Ende"), std::nullopt);
  EXPECT_EQ(utf8_first_invalid(std::string_view("a\0b", 3)), std::nullopt);
}

// The right-hand sides are what Python's bytes.decode("utf-8", errors="replace") gives.
TEST(Utf8, ReplacementIsPythons) {
  using namespace std::literals;
  const std::array<std::pair<std::string_view, std::string_view>, 9> cases{{
      {"abc"sv, "abc"sv},
      {"a\xff"
       "b"sv,
       "a\uFFFD"
       "b"sv},
      {"\xc0\x80"sv, "\uFFFD\uFFFD"sv},
      {"\xe2\x82"sv, "\uFFFD"sv},
      {"\xe2\x82x"sv, "\uFFFDx"sv},
      {"\xf0\x9f\x98"sv, "\uFFFD"sv},
      {"\xed\xa0\x80"sv, "\uFFFD\uFFFD\uFFFD"sv},
      {"\xf4\x90\x80\x80"sv, "\uFFFD\uFFFD\uFFFD\uFFFD"sv},
      {"\xf0\x9f\xf0\x9f\x98\x80"sv, "\uFFFD\U0001F600"sv},
  }};
  for (const auto& [text, wanted] : cases) {
    EXPECT_EQ(utf8_replace_invalid(text), wanted) << testing::PrintToString(text);
  }
}

TEST(Utf8, ReplacementIsAlwaysValid) {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 24; ++i) {
      state = state * 1664525U + 1013904223U;
      text += static_cast<char>((state >> 24) | (i % 3 == 0 ? 0xC0U : 0U));
    }
    EXPECT_EQ(utf8_first_invalid(utf8_replace_invalid(text)), std::nullopt);
  }
}

}  // namespace
}  // namespace linformer
