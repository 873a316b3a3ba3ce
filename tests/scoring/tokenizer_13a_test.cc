// SPDX-License-Identifier: Apache-2.0
#include "scoring/tokenizer_13a.h"

#include <gtest/gtest.h>

#include "scoring/golden_corpora.h"

namespace linformer {
namespace {

std::string joined(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += (text.empty() ? "" : " ") + token;
  return text;
}

std::string tokens_13a(std::string_view segment) { return joined(tokenize_13a(segment)); }

TEST(Tokenizer13a, PunctuationStandsApart) {
  EXPECT_EQ(tokens_13a("Hello, world! (yes)"), "Hello , world ! ( yes )");
  EXPECT_EQ(tokens_13a("a/b [c] {d} e=f"), "a / b [ c ] { d } e = f");
}

TEST(Tokenizer13a, ApostrophesAndHyphensStayInWords) {
  EXPECT_EQ(tokens_13a("It's a well-known e-mail"), "It's a well-known e-mail");
}

TEST(Tokenizer13a, StopsBetweenDigitsStay) {
  EXPECT_EQ(tokens_13a("3.14 1,000.50 5. .5 7,"), "3.14 1,000.50 5 . . 5 7 ,");
  EXPECT_EQ(tokens_13a("U.S. z.B."), "U . S . z . B .");
}

TEST(Tokenizer13a, AHyphenAfterADigitStandsApart) {
  EXPECT_EQ(tokens_13a("10-year 2-3 a-1"), "10 - year 2 - 3 a-1");
}

TEST(Tokenizer13a, OtherDigitsAreLetters) { EXPECT_EQ(tokens_13a("٣.٤"), "٣ . ٤"); }

TEST(Tokenizer13a, EntitiesAreReplacedInOrder) {
  EXPECT_EQ(tokens_13a("&quot;a&quot; &lt;b&gt; c &amp; d"), "\" a \" < b > c & d");
  EXPECT_EQ(tokens_13a("&amp;lt;"), "<");
  EXPECT_EQ(tokens_13a("&amp;quot;"), "& quot ;");
}

TEST(Tokenizer13a, SkippedMarksAndBrokenLinesAreJoined) {
  EXPECT_EQ(tokens_13a("a <skipped> b"), "a b");
  EXPECT_EQ(tokens_13a("hyphen-\nated\nline"), "hyphenated line");
  EXPECT_EQ(tokens_13a("a-\n"), "a-");
}

TEST(Tokenizer13a, UnicodeSpacesSeparateTokens) {
  EXPECT_EQ(tokens_13a("a\u00a0b\u3000c\u2003d\u0085e\u001cf"), "a b c d e f");
  EXPECT_EQ(tokens_13a("a\u200bb\ufeffc"), "a\u200bb\ufeffc");
}

TEST(Tokenizer13a, BlankSegmentsHaveNoTokens) {
  EXPECT_TRUE(tokenize_13a("").empty());
  EXPECT_TRUE(tokenize_13a(" \t\u00a0\n").empty());
  EXPECT_TRUE(tokenize_13a("<skipped>").empty());
}

TEST(Tokenizer13a, TokenizingTwiceChangesNothingInPlainText) {
  const std::string once = tokens_13a("Er sagte: \"Nein, 3.5 % sind's nicht!\" (2014)");
  EXPECT_EQ(tokens_13a(once), once);
}

TEST(Tokenizer13a, EqualsSacrebleuOnGeneratedSegments) {
  std::size_t compared = 0;
  for (const auto& corpus : scoring_golden()["corpora"]) {
    if (!corpus.contains("tokens")) continue;
    const auto segment = corpus["r"][0].get<std::string>();
    EXPECT_EQ(tokens_13a(segment), corpus["tokens"].get<std::string>()) << "of " << segment;
    ++compared;
  }
  EXPECT_GE(compared, 200U);
}

TEST(TokenizeWhiteSpace, SplitsAtWhiteSpaceOnly) {
  EXPECT_EQ(joined(tokenize_white_space(" a,b\u00a0\tc.  ")), "a,b c.");
  EXPECT_TRUE(tokenize_white_space("\u2028").empty());
}

}  // namespace
}  // namespace linformer
