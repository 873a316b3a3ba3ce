// SPDX-License-Identifier: Apache-2.0
#include "data/text_check.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

using namespace std::string_view_literals;

std::string refusal(std::string_view text, InvalidUtf8 policy = InvalidUtf8::kError) {
  return error_text<DataError>([&] { check_text({text, "a.csv", 100, 7}, policy); });
}

TEST(TextCheck, PlacesANulByteByOffsetAndLine) {
  EXPECT_EQ(refusal("a\nb\0c"sv), "a.csv@103: NUL byte (want text) (line 8)");
}

TEST(TextCheck, RefusesACarriageReturnAloneAndAcceptsCrlf) {
  EXPECT_EQ(refusal("a\r\nb\rc"),
            "a.csv@104: carriage return without a line feed (want LF or CRLF) (line 8)");
  EXPECT_EQ(refusal("a\r"),
            "a.csv@101: carriage return without a line feed (want LF or CRLF) (line 7)");
  EXPECT_NO_THROW(check_text({"a\r\nb\nc\r\n", "a.csv"}, InvalidUtf8::kError));
}

TEST(TextCheck, RefusesOverlongSurrogateTooLargeAndCutSequences) {
  for (const std::string_view bad : {"\xC0\xAF"sv, "\xED\xA0\x80"sv, "\xF4\x90\x80\x80"sv,
                                     "\xE2\x82"sv, "\xFF"sv, "\x80"sv, "\xF8\x88\x80\x80\x80"sv}) {
    const std::string text = refusal("ab" + std::string(bad));
    EXPECT_TRUE(text.starts_with("a.csv@102: byte 0x")) << text;
    EXPECT_TRUE(text.ends_with("(line 7)")) << text;
  }
}

TEST(TextCheck, ReportsWhatComesFirst) {
  EXPECT_TRUE(refusal("\xFF\r\0"sv).starts_with("a.csv@100: byte 0xff"));
  EXPECT_TRUE(refusal("a\rb\xFF\0"sv).starts_with("a.csv@101: carriage"));
}

TEST(TextCheck, ReplaceLeavesOnlyInvalidUtf8ToTheCaller) {
  EXPECT_NO_THROW(check_text({"\xFF", "a.csv"}, InvalidUtf8::kReplace));
  EXPECT_TRUE(refusal("\xFF\0"sv, InvalidUtf8::kReplace).starts_with("a.csv@101: NUL"));
}

TEST(TextCheck, ReplacementsAreCountedAsPythonMakesThem) {
  std::string text = "a\xC3(\xF0\x9F\x98x\xEF\xBF\xBD";
  EXPECT_EQ(replace_invalid_utf8(text), 2);
  EXPECT_EQ(text, "a\xEF\xBF\xBD(\xEF\xBF\xBDx\xEF\xBF\xBD");
  std::string valid = "Grüße";
  EXPECT_EQ(replace_invalid_utf8(valid), 0);
  EXPECT_EQ(valid, "Grüße");
}

TEST(TextCheck, OnlyOneByteOrderMarkIsLeftOut) {
  EXPECT_EQ(without_bom("\xEF\xBB\xBF\xEF\xBB\xBF"
                        "a"),
            "\xEF\xBB\xBF"
            "a");
  EXPECT_EQ(without_bom("a"), "a");
}

TEST(TextCheck, BlankIsUnicodeWhiteSpaceAndNothingElse) {
  EXPECT_TRUE(is_blank(""));
  EXPECT_TRUE(is_blank(" \t\n\xC2\xA0\xE2\x80\xA8\xE3\x80\x80\xC2\x85"));
  EXPECT_FALSE(is_blank(" x "));
  EXPECT_FALSE(is_blank("\xEF\xBB\xBF"));
  EXPECT_FALSE(is_blank("\xE2\x80\x8D"));
}

}  // namespace
}  // namespace linformer
