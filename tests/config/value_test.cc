// SPDX-License-Identifier: Apache-2.0
#include "config/value.h"

#include <gtest/gtest.h>

#include <string>

namespace linformer {
namespace {

using Kind = RawValue::Kind;

/// Sets `path` in a fresh configuration and returns the complaint, "" for none.
std::string set(const std::string& path, const std::string& text, Kind kind = Kind::kPlain) {
  RunConfig config;
  const Schema schema = schema_of(config);
  return set_option(*schema.find(path), {kind, text}, path).value_or("");
}

TEST(SetOption, ReadsIntegersStrictly) {
  RunConfig config;
  const Schema schema = schema_of(config);
  EXPECT_EQ(set_option(*schema.find("model.dim"), {Kind::kPlain, "+64"}, "model.dim"),
            std::nullopt);
  EXPECT_EQ(config.model.model_dim, 64);
  const std::string want = ", want an integer from 2 to 2147483648)";
  for (const char* text :
       {"512.5", "1_000", "0x200", "0o17", "1e3", "512 ", "", "-", "010", "two", ".nan", "true"}) {
    const std::string shown = *text == '\0' ? "nothing" : text;
    EXPECT_EQ(set("model.dim", text), "model.dim has the wrong type (got " + shown + want);
  }
  EXPECT_EQ(set("model.dim", "512", Kind::kQuoted),
            "model.dim has the wrong type (got \"512\" in quotes" + want);
  EXPECT_EQ(set("model.dim", "", Kind::kNull),
            "model.dim has the wrong type (got nothing (null)" + want);
  EXPECT_EQ(set("model.dim", "", Kind::kList), "model.dim has the wrong type (got a list" + want);
  EXPECT_EQ(set("model.dim", "", Kind::kMap), "model.dim has the wrong type (got a section" + want);
}

TEST(SetOption, RefusesIntegersOutOfRange) {
  for (const char* text :
       {"0", "-4", "2147483649", "1000000000000000000000000000000", "-9223372036854775809"}) {
    EXPECT_EQ(set("model.dim", text), "model.dim is out of range (got " + std::string(text) +
                                          ", want an integer from 2 to 2147483648)");
  }
  EXPECT_EQ(set("model.dim", "2147483648"), "");
  EXPECT_EQ(set("seed", "18446744073709551615"), "");
  EXPECT_NE(set("seed", "18446744073709551616"), "");
  EXPECT_NE(set("seed", "-1"), "");
}

TEST(SetOption, ReadsNumbersOfYaml12) {
  RunConfig config;
  const Schema schema = schema_of(config);
  const Option& option = *schema.find("training.learning_rate");
  for (const char* text : {"1e-4", "1.0e-4", "0.0001", "1.0E-4", ".0001", "+1e-04"}) {
    config.training.learning_rate = 0;
    EXPECT_EQ(set_option(option, {Kind::kPlain, text}, "x"), std::nullopt) << text;
    EXPECT_EQ(config.training.learning_rate, 1e-4) << text;
  }
  EXPECT_EQ(set("training.learning_rate", "1"), "");
  EXPECT_EQ(set("training.learning_rate", "1."), "");
}

TEST(SetOption, RefusesNumbersThatAreNotFiniteAndPositive) {
  const std::string want = ", want a finite number above 0, at most 1000)";
  for (const char* text : {".nan", "-1", "0", "1e400", "1e-400", ".inf", "-.INF", "1e9"}) {
    EXPECT_EQ(set("training.learning_rate", text),
              "training.learning_rate is out of range (got " + std::string(text) + want);
  }
  for (const char* text :
       {"nan", "inf", "1e", "e4", ".", "1e-4x", "0x1p3", "1,5", "--1", "1_0.0"}) {
    EXPECT_EQ(set("training.learning_rate", text),
              "training.learning_rate has the wrong type (got " + std::string(text) + want);
  }
}

TEST(SetOption, ReadsBooleansOfYaml12) {
  const std::string key = "training.lr_scheduler.cosine_annealing";
  for (const char* text : {"true", "True", "TRUE", "false", "False", "FALSE"})
    EXPECT_EQ(set(key, text), "");
  EXPECT_EQ(set(key, "yes"),
            key + " has the wrong type (got yes, want true or false; YAML 1.2 reads yes as text)");
  EXPECT_EQ(set(key, "True1"), key + " has the wrong type (got True1, want true or false)");
  EXPECT_EQ(set(key, "1"), key + " has the wrong type (got 1, want true or false)");
  EXPECT_EQ(set(key, "true", Kind::kQuoted),
            key + " has the wrong type (got \"true\" in quotes, want true or false)");
}

TEST(SetOption, KnowsNamesExactlyAndSuggests) {
  EXPECT_EQ(set("model.type", "Linformer"), "");
  EXPECT_EQ(set("model.type", "Vanilla transformer", Kind::kQuoted), "");
  EXPECT_EQ(set("model.type", "linformer"),
            "model.type is not a known name (got linformer, want Vanilla transformer or Linformer; "
            "did you mean Linformer?)");
  EXPECT_EQ(set("model.type", "Vanila"),
            "model.type is not a known name (got Vanila, want Vanilla transformer or Linformer; "
            "did you mean Vanilla transformer?)");
  EXPECT_EQ(set("training.validation_bleu", "13a"), "");
  EXPECT_EQ(set("training.validation_bleu", "off"), "");
}

TEST(SetOption, TakesTextAsItIs) {
  EXPECT_EQ(set("data.source_language", "no"), "");
  EXPECT_EQ(set("data.train", "a b.csv", Kind::kVerbatim), "");
  EXPECT_EQ(set("data.train", "", Kind::kVerbatim), "");
  EXPECT_NE(set("data.train", "\xFF", Kind::kVerbatim), "");
  EXPECT_NE(set("data.train", "", Kind::kNull), "");
}

TEST(SetOption, ShortensWhatItQuotes) {
  const std::string text = set("model.dim", std::string(100000, '7'));
  EXPECT_LT(text.size(), 200U);
  EXPECT_NE(text.find("777..."), std::string::npos);
}

TEST(SetOption, LeavesTheMemberAloneWhenItComplains) {
  RunConfig config;
  const Schema schema = schema_of(config);
  for (const Option& option : schema.options) {
    const auto before = option.value_text();
    EXPECT_NE(set_option(option, {Kind::kNull, ""}, option.key), std::nullopt);
    EXPECT_EQ(option.value_text(), before);
  }
}

}  // namespace
}  // namespace linformer
