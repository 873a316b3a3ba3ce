// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "text/golden.h"

namespace linformer {
namespace {

using Pieces = std::vector<std::string>;

Pieces split(std::string_view text) {
  Pieces out;
  for_each_piece(text, [&](std::string_view piece) { out.emplace_back(piece); });
  return out;
}

TEST(PreTokenizer, OneBlankGoesWithTheWordAfterIt) {
  EXPECT_EQ(split("a bc  12 ?!"), (Pieces{"a", " bc", " ", " 12", " ?!"}));
  EXPECT_EQ(split("x1y"), (Pieces{"x", "1", "y"}));
}

TEST(PreTokenizer, ARunOfBlanksLeavesItsLastOneOnlyWhenThatIsASpace) {
  EXPECT_EQ(split("a\t b"), (Pieces{"a", "\t", " b"}));
  EXPECT_EQ(split("a \tb"), (Pieces{"a", " ", "\t", "b"}));
  EXPECT_EQ(split("a \u00a0\u00a0b"), (Pieces{"a", " \u00a0", "\u00a0", "b"}));
  EXPECT_EQ(split("a\u2028b"), (Pieces{"a", "\u2028", "b"}));
}

TEST(PreTokenizer, BlanksAtTheEndStayTogether) {
  EXPECT_EQ(split("a  \n"), (Pieces{"a", "  \n"}));
  EXPECT_EQ(split(" "), (Pieces{" "}));
  EXPECT_EQ(split("   "), (Pieces{"   "}));
}

TEST(PreTokenizer, ContractionsAreAsciiLowerCaseAndStartAPiece) {
  EXPECT_EQ(split("it's we'll I'd"), (Pieces{"it", "'s", " we", "'ll", " I", "'d"}));
  EXPECT_EQ(split("'re've'm't"), (Pieces{"'re", "'ve", "'m", "'t"}));
  EXPECT_EQ(split("it'S"), (Pieces{"it", "'", "S"}));
  EXPECT_EQ(split("a 's"), (Pieces{"a", " '", "s"}));
  EXPECT_EQ(split("\"'s"), (Pieces{"\"'", "s"}));
  EXPECT_EQ(split("'r"), (Pieces{"'", "r"}));
  EXPECT_EQ(split("'"), (Pieces{"'"}));
}

TEST(PreTokenizer, LettersOfEveryScriptMakeOneWord) {
  EXPECT_EQ(split("Grüße Straße"), (Pieces{"Grüße", " Straße"}));
  EXPECT_EQ(split("日本語abcdefghijkä"), (Pieces{"日本語abcdefghijkä"}));
  EXPECT_EQ(split("e\u0301a"), (Pieces{"e", "\u0301", "a"}));
  EXPECT_EQ(split("\u0661\u00bd2"), (Pieces{"\u0661\u00bd2"}));
}

TEST(PreTokenizer, BytesThatAreNotUtf8AreOtherCharacters) {
  EXPECT_EQ(split("a\xFF\xC3 b\xE2\x82"), (Pieces{"a", "\xFF\xC3", " b", "\xE2\x82"}));
  EXPECT_EQ(split(std::string_view("a\0b", 3)), (Pieces{"a", std::string(1, '\0'), "b"}));
}

TEST(PreTokenizer, PiecesAreThoseOfTheWheel) {
  const nlohmann::json golden = read_golden("tokenizer_unicode.json");
  for (const auto& [text, sizes] :
       golden["pieces"].get<std::vector<std::pair<std::string, std::vector<std::size_t>>>>()) {
    std::vector<std::size_t> got;
    for (const std::string& piece : split(text)) got.push_back(piece.size());
    ASSERT_EQ(got, sizes) << testing::PrintToString(text) << "\n" << kRegenerate;
  }
}

TEST(PreTokenizer, TextMayBeTakenInPartsOfAnySize) {
  std::string text = "it's  12 \u00a0ä  ?? b\t";
  const Pieces whole = split(text);
  const std::size_t size = text.size();
  text.append(kTextPadding, '\0');
  Pieces parts;
  std::array<std::size_t, 1> end{};
  for (std::size_t begin = 0; begin < size; begin = end[0]) {
    ASSERT_EQ(split_pieces(text.data(), size, begin, end), 1U);
    parts.push_back(text.substr(begin, end[0] - begin));
  }
  EXPECT_EQ(parts, whole);
  EXPECT_EQ(split_pieces(text.data(), size, size, end), 0U);
}

}  // namespace
}  // namespace linformer
