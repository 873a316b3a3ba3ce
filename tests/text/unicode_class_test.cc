// SPDX-License-Identifier: Apache-2.0
#include "text/unicode_class.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/digest.h"
#include "base/utf8.h"
#include "text/golden.h"

namespace linformer {
namespace {

TEST(UnicodeClass, EveryCodePointHasTheClassThatTheWheelGivesIt) {
  std::string classes;
  for (char32_t point = 0; point < 0x110000; ++point) {
    classes += static_cast<char>(char_class(point));
  }
  std::ifstream table(std::string(LF_SOURCE_DIR) + "/src/text/unicode_tables.inc");
  std::stringstream text;
  text << table.rdbuf();
  EXPECT_NE(text.str().find("code point: " + sha256_hex(classes) + "\n"), std::string::npos)
      << "regenerate: .deps/oracles/bin/python tools/make_unicode_classes.py";
}

TEST(UnicodeClass, EveryCodePointHasTheLowerCaseThatTheWheelGivesIt) {
  std::string all;
  for (char32_t point = 0; point < 0x110000; ++point) {
    if (point >= 0xD800 && point < 0xE000) continue;
    std::string text;
    utf8_append(text, point);
    append_lowercase(all, text);
  }
  EXPECT_EQ(sha256_hex(all), read_golden("tokenizer_unicode.json")["lowercase_sha256"])
      << kRegenerate;
}

TEST(UnicodeClass, TheTableNamesTheWheelOfTheGoldens) {
  EXPECT_EQ(unicode_table_source(), read_golden("tokenizer_unicode.json")["source"]);
}

TEST(UnicodeClass, WhiteSpaceHolds25CodePointsAndNotTheMongolianVowelSeparator) {
  int spaces = 0;
  for (char32_t point = 0; point < 0x110000; ++point) {
    spaces += char_class(point) == CharClass::kSpace ? 1 : 0;
  }
  EXPECT_EQ(spaces, 25);
  EXPECT_EQ(char_class(0x85), CharClass::kSpace);
  EXPECT_EQ(char_class(0x180E), CharClass::kOther);
  EXPECT_EQ(char_class(0x200B), CharClass::kOther);
}

TEST(UnicodeClass, LowerCaseIsTakenCharacterByCharacter) {
  std::string out = ">";
  append_lowercase(out, "ÄÖÜ ΣΑΣ \u0130 ẞ A1");
  EXPECT_EQ(out, ">äöü σασ i\u0307 ß a1");
}

TEST(UnicodeClass, BytesThatAreNotUtf8KeepTheirPlace) {
  std::string out;
  append_lowercase(out, "A\xFF\xC3Z\xE2\x82");
  EXPECT_EQ(out, "a\xFF\xC3z\xE2\x82");
}

}  // namespace
}  // namespace linformer
