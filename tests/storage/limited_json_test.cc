// SPDX-License-Identifier: Apache-2.0
#include "storage/limited_json.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

std::string error_of(std::string_view text, const JsonLimits& limits = {}) {
  return error_text<CheckpointError>([&] { parse_limited_json(text, "f", 100, limits); });
}

TEST(LimitedJson, ParsesWhatNlohmannParses) {
  const std::string text = R"({"a": [1, -2, 3.5, true, null, "x\u00e9"], "b": {"c": {}}})";
  EXPECT_EQ(parse_limited_json(text, "f"), nlohmann::json::parse(text));
  EXPECT_EQ(parse_limited_json(" 7 ", "f"), nlohmann::json(7));
}

TEST(LimitedJson, DuplicateKeysAreRefusedAtTheSecond) {
  EXPECT_EQ(error_of(R"({"a": 1, "b": 2, "a": 3})"), "f@117: duplicate key \"a\"");
  EXPECT_EQ(error_of(R"({"x": {"k": "a:", "k": 0}})"), "f@118: duplicate key \"k\"");
}

TEST(LimitedJson, SyntaxErrorsNameTheirOffset) {
  EXPECT_EQ(error_of("").substr(0, 5), "f@100");
  EXPECT_EQ(error_of("{\"a\":}").substr(0, 5), "f@105");
  EXPECT_EQ(error_of("[1,]").substr(0, 5), "f@103");
  EXPECT_EQ(error_of("[1] 2").substr(0, 5), "f@104");
  EXPECT_EQ(error_of(std::string_view("[1]\0", 4)), "f@103: NUL byte in JSON");
  EXPECT_EQ(error_of("\"\xc3\x28\"").substr(0, 5), "f@102");
}

TEST(LimitedJson, LimitsHoldBeforeTheTreeGrows) {
  EXPECT_NO_THROW(parse_limited_json("[[[]]]", "f", 0, {.depth = 3}));
  EXPECT_NE(error_of("[[[[]]]]", {.depth = 3}).find("want at most 3"), std::string::npos);
  EXPECT_NE(error_of("[1,2,3]", {.values = 3}).find("too many values (want at most 3)"),
            std::string::npos);
}

TEST(LimitedJson, KeysAreFoundButValuesAreNot) {
  const std::string text = R"({"b":"a","a" : 1})";
  EXPECT_EQ(find_json_key(text, "a"), 9U);
  EXPECT_EQ(find_json_key(text, "absent"), 0U);
}

}  // namespace
}  // namespace linformer
