// SPDX-License-Identifier: Apache-2.0
#include "cli/argument.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

TEST(Argument, StoresNumbersInTheirRange) {
  double value = 0;
  const Argument fraction{"--fraction", "F", &value, "x", Range{0, 1, true}};
  store_values(fraction, {"0.25"});
  EXPECT_EQ(value, 0.25);
  store_values(fraction, {"1"});
  EXPECT_EQ(value, 1.0);
  for (const char* text : {"0", "-0.1", "1.5", "nan", "inf", "", "0,5", "0.5x", "1e400"}) {
    EXPECT_EQ(error_text<UsageError>([&] { store_values(fraction, {text}); }),
              "--fraction " + std::string(text) + " (want a number above 0, at most 1)");
  }
  EXPECT_EQ(value, 1.0);
}

TEST(Argument, StoresListsOfNumbers) {
  std::vector<std::int64_t> values;
  const Argument lengths{"--lengths", "N,...", &values, "x", Range{1, 100}};
  store_values(lengths, {"1,2,100"});
  EXPECT_EQ(values, (std::vector<std::int64_t>{1, 2, 100}));
  for (const char* text : {"1,,2", "1,", "", "101", "1;2"}) {
    EXPECT_NE(error_text<UsageError>([&] {
                store_values(lengths, {text});
              }).find("want whole numbers separated by commas, each from 1 to 100"),
              std::string::npos);
  }
}

TEST(Argument, KnowsItsChoices) {
  std::string value = "drop";
  const Argument policy{"--long", "P", &value, "x", {}, {"drop", "truncate", "error"}};
  EXPECT_EQ(policy.default_text(), "drop");
  EXPECT_EQ(policy.wanted(), "drop, truncate or error");
  store_values(policy, {"error"});
  EXPECT_EQ(value, "error");
  EXPECT_EQ(error_text<UsageError>([&] { store_values(policy, {"truncat"}); }),
            "--long truncat (want drop, truncate or error; did you mean truncate?)");
}

TEST(Argument, SaysWhatItIs) {
  bool flag = false;
  std::int64_t count = 0;
  std::optional<std::string> resume;
  std::vector<std::string> files;
  EXPECT_TRUE((Argument{"--json", "", &flag, "x"}).is_switch());
  EXPECT_TRUE((Argument{"--resume", "[DIR]", &resume, "x"}).has_optional_value());
  EXPECT_TRUE((Argument{"FILE", "", &files, "x"}).is_positional());
  EXPECT_TRUE((Argument{"FILE", "", &files, "x"}).is_list());
  EXPECT_EQ((Argument{"--n", "N", &count, "x", Range{1, 1}}).wanted(), "1");
  EXPECT_EQ((Argument{"--n", "N", &count, "x"}).default_text(), "");
  count = 4096;
  EXPECT_EQ((Argument{"--n", "N", &count, "x"}).default_text(), "4096");
}

TEST(Argument, ShortensWhatItQuotes) {
  std::int64_t count = 0;
  const Argument argument{"--n", "N", &count, "x", Range{1, 9}};
  EXPECT_LT(
      error_text<UsageError>([&] { store_values(argument, {std::string(5000, '9')}); }).size(),
      120U);
}

}  // namespace
}  // namespace linformer
