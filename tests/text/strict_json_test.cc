// SPDX-License-Identifier: Apache-2.0
#include "text/strict_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

std::string error(std::string_view text) {
  return error_text<DataError>([&] { parse_strict_json(text, "f.json"); });
}

TEST(StrictJson, ATreeIsThatOfTheParser) {
  const std::string text =
      R"({"a": [1, -2, 1.5, true, null, {"b": "\u00e9"}], "c": {}, "d": [[]]})";
  EXPECT_EQ(parse_strict_json(text, "f.json"), nlohmann::json::parse(text));
  EXPECT_EQ(parse_strict_json("3", "f.json"), 3);
}

TEST(StrictJson, WhatIsNotJsonIsNamedWithLineAndColumn) {
  EXPECT_EQ(error("{\"a\": 1,\n  }").substr(0, 12), "f.json:2:3: ");
  EXPECT_EQ(error("{} x").substr(0, 12), "f.json:1:4: ");
  EXPECT_NE(error("[1,]").find("f.json:1:4: not valid JSON: syntax error"), std::string::npos);
  EXPECT_NE(error("").find("f.json:1:1: not valid JSON"), std::string::npos);
  EXPECT_NE(error("hello").find("f.json:1:"), std::string::npos);
  EXPECT_NE(error("[1e999]").find("not valid JSON: number overflow"), std::string::npos);
}

TEST(StrictJson, TextThatIsNotUnicodeIsRefusedWithItsPlace) {
  EXPECT_NE(error("[\"\\ud800\"]").find("f.json:1:9: not valid JSON"), std::string::npos)
      << error("[\"\\ud800\"]");
  EXPECT_NE(error("[\"a\x01\"]").find("f.json:1:4: not valid JSON"), std::string::npos);
  EXPECT_NE(error("[\"ab\xFF\"]").find("f.json:1:5: not valid JSON"), std::string::npos);
  EXPECT_NE(error("[\"ab\xC3(\"]").find("f.json:1:6: not valid JSON"), std::string::npos);
}

TEST(StrictJson, AKeyGivenTwiceIsRefused) {
  EXPECT_EQ(error(R"({"a": {"x": 1, "y": 2, "x": 3}})"), "f.json: duplicate key 'x'");
  EXPECT_EQ(error(R"({"a": [], "a": 1})"), "f.json: duplicate key 'a'");
  EXPECT_NO_THROW(parse_strict_json(R"([{"a": 1}, {"a": 2}])", "f.json"));
}

TEST(StrictJson, NestingHasALimitAndADeepFileCostsNothing) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse_strict_json(nested(32), "f.json"));
  EXPECT_EQ(error(nested(33)), "f.json: nested too deeply (want at most 32 levels)");
  EXPECT_EQ(error(std::string(100'000, '[')), "f.json: nested too deeply (want at most 32 levels)");
}

TEST(StrictJson, TheNumberOfValuesHasALimit) {
  std::string text = "[0";
  for (int i = 0; i < 5'000'000; ++i) text += ",0";
  EXPECT_EQ(error(text + "]"), "f.json: too many values (want at most 5000000)");
}

}  // namespace
}  // namespace linformer
