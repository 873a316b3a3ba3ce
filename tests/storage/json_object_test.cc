// SPDX-License-Identifier: Apache-2.0
#include "storage/json_object.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

JsonObject example() {
  return JsonObject::parse(
      R"({"i":7,"r":1.5,"t":"text","b":true,"n":null,"nan":"NaN","inf":"-Infinity",
      "o":{"x":1},"l":[{"y":2},{"y":3}],"reals":[1,2.5],"names":{"b":"2","a":"1","c":3}})",
      "f.json");
}

TEST(JsonObject, MembersHaveTheirTypes) {
  const JsonObject json = example();
  EXPECT_EQ(json.integer("i"), 7);
  EXPECT_EQ(json.real("i"), 7.0);
  EXPECT_EQ(json.real("r"), 1.5);
  EXPECT_EQ(json.text("t"), "text");
  EXPECT_TRUE(json.flag("b"));
  EXPECT_TRUE(std::isnan(json.real("nan")));
  EXPECT_TRUE(std::isinf(json.real("inf")));
  EXPECT_EQ(json.object("o").integer("x"), 1);
  EXPECT_EQ(json.objects("l").at(1).integer("y"), 3);
  EXPECT_EQ(json.reals("reals"), (std::vector<double>{1.0, 2.5}));
  EXPECT_EQ(json.object("names").named_texts(), (std::vector<std::string>{"a 1", "b 2"}));
}

TEST(JsonObject, NullCountsAsMissing) {
  const JsonObject json = example();
  EXPECT_FALSE(json.has("n"));
  EXPECT_FALSE(json.has("none"));
  EXPECT_FALSE(json.has_object("t"));
  EXPECT_TRUE(json.has_object("o"));
  EXPECT_EQ(json.real_if_any("n"), std::nullopt);
  EXPECT_EQ(json.integer_if_any("none"), std::nullopt);
  EXPECT_EQ(json.text_or_empty("n"), "");
}

TEST(JsonObject, ErrorsNameFileMemberAndReason) {
  const JsonObject json = example();
  const auto error_of = [](auto&& body) { return error_text<DataError>(body); };
  EXPECT_EQ(error_of([&] { json.real("none"); }), "f.json: none is missing");
  EXPECT_EQ(error_of([&] { json.real("t"); }), "f.json: t is no number");
  EXPECT_EQ(error_of([&] { json.integer("r"); }), "f.json: r is no whole number");
  EXPECT_EQ(error_of([&] { json.text("i"); }), "f.json: i is no text");
  EXPECT_EQ(error_of([&] { json.flag("i"); }), "f.json: i is neither true nor false");
  EXPECT_EQ(error_of([&] { json.objects("o"); }), "f.json: o is no list");
  EXPECT_EQ(error_of([&] { json.reals("l"); }), "f.json: l is no list of numbers");
  EXPECT_EQ(error_of([&] { json.objects("reals"); }), "f.json: reals[0]: is no JSON object");
  EXPECT_EQ(error_of([&] { json.objects("l").at(0).text("y"); }), "f.json: l[0]: y is no text");
  EXPECT_EQ(error_of([&] { JsonObject::parse("[]", "g.json"); }), "g.json: is no JSON object");
  EXPECT_NE(error_text<CheckpointError>([&] { JsonObject::parse("{", "g.json"); }).find("g.json@"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
