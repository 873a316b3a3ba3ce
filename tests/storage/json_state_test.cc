// SPDX-License-Identifier: Apache-2.0
#include "storage/json_state.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <random>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

JsonState round_trip(const JsonState& state) { return JsonState::parse(state.text(), "s.json"); }

TEST(JsonState, EveryTypeSurvivesARoundTrip) {
  JsonState state;
  state.set_int("int", std::numeric_limits<std::int64_t>::min());
  state.set_uint("uint", std::numeric_limits<std::uint64_t>::max());
  state.set_uint("small", 7);
  state.set_real("real", -0.0);
  state.set_text("text", "a\"b\n\x01ü");
  state.set_bool("bool", true);
  state.set_ints("ints", {1, -2, std::numeric_limits<std::int64_t>::max()});
  state.set_reals("reals", {1, 1e-300, 0.1});
  state.set_reals("nothing", {});
  const JsonState back = round_trip(state);
  EXPECT_EQ(back.get_int("int"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(back.get_uint("uint"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(back.get_uint("small"), 7U);
  EXPECT_TRUE(std::signbit(back.get_real("real")));
  EXPECT_EQ(back.get_text("text"), "a\"b\n\x01ü");
  EXPECT_TRUE(back.get_bool("bool"));
  EXPECT_EQ(back.get_ints("ints"), state.get_ints("ints"));
  EXPECT_EQ(back.get_reals("reals"), state.get_reals("reals"));
  EXPECT_TRUE(back.get_reals("nothing").empty());
  EXPECT_EQ(back.text(), state.text());
  EXPECT_TRUE(back.has("int"));
  EXPECT_FALSE(back.has("absent"));
}

TEST(JsonState, EveryFiniteDoubleComesBackBitByBit) {
  std::mt19937_64 draw(5);
  std::vector<double> values{std::numeric_limits<double>::denorm_min(),
                             std::numeric_limits<double>::max(), 1.0 / 3, 1e22, 5e-324};
  while (values.size() < 20000) {
    const double value = std::bit_cast<double>(draw());
    if (std::isfinite(value)) values.push_back(value);
  }
  JsonState state;
  state.set_reals("v", values);
  const std::vector<double> back = round_trip(state).get_reals("v");
  ASSERT_EQ(back.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back[i]), std::bit_cast<std::uint64_t>(values[i]));
  }
}

TEST(JsonState, NonFiniteNumbersAreRefused) {
  JsonState state;
  EXPECT_EQ(error_text<DivergenceError>(
                [&] { state.set_real("loss", std::numeric_limits<double>::quiet_NaN()); }),
            "state loss is not finite (got NaN)");
  EXPECT_THROW(state.set_reals("v", {1, std::numeric_limits<double>::infinity()}), DivergenceError);
}

TEST(JsonState, MissingAndMistypedMembersAreNamed) {
  const JsonState state =
      JsonState::parse(R"({"a": 1, "b": 1.5, "c": "x", "d": -1, "e": [1]})", "s.json");
  const auto error = [&](auto get) { return error_text<CheckpointError>(get); };
  EXPECT_EQ(error([&] { state.get_int("z"); }), "s.json: z is missing");
  EXPECT_EQ(error([&] { state.get_int("b"); }), "s.json: b has another type (want an integer)");
  EXPECT_EQ(error([&] { state.get_real("a"); }), "s.json: a has another type (want a real number)");
  EXPECT_EQ(error([&] { state.get_uint("d"); }),
            "s.json: d is negative (got -1, want an integer >= 0)");
  EXPECT_THROW(state.get_text("a"), CheckpointError);
  EXPECT_THROW(state.get_bool("c"), CheckpointError);
  EXPECT_THROW(state.get_reals("e"), CheckpointError);
}

TEST(JsonState, BadTextsAreRefused) {
  for (const char* text :
       {"", "[1]", "{\"a\": null}", "{\"a\": {}}", "{\"a\": [1, 2.5]}", "{\"a\": [true]}",
        "{\"a\": 1, \"a\": 2}", "{\"a\": NaN}", "{\"a\": 1}}"}) {
    EXPECT_THROW(JsonState::parse(text, "s.json"), CheckpointError) << text;
  }
}

TEST(JsonState, RealTextAlwaysLooksReal) {
  EXPECT_EQ(real_text(3), "3.0");
  EXPECT_EQ(real_text(1e-9), "1e-09");
  EXPECT_EQ(real_text(0.1), "0.1");
  EXPECT_EQ(real_text(-std::numeric_limits<double>::infinity()), "-Infinity");
}

TEST(JsonState, JsonStringsEscapeAndReplace) {
  EXPECT_EQ(json_string("a\"\\\n"), R"("a\"\\\n")");
  EXPECT_EQ(json_string("\xff"), "\"\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace linformer
