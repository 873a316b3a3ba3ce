// SPDX-License-Identifier: Apache-2.0
#include "report/csv_lines.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

using Rows = std::vector<std::vector<std::string>>;

TEST(CsvLines, HeaderAndEmptyLinesAreNoRows) {
  EXPECT_EQ(csv_lines("a,b\n1,2\n\n3,\n"), (Rows{{"1", "2"}, {"3", ""}}));
  EXPECT_EQ(csv_lines("a\n1"), Rows{{"1"}});
  EXPECT_EQ(csv_lines(""), Rows{});
}

TEST(CsvLines, OnlyAWholeNumberTextIsANumber) {
  EXPECT_EQ(number_of("0.25"), 0.25);
  EXPECT_EQ(number_of("1e-3"), 1e-3);
  for (const char* text : {"", "1s", " 1", "x", "1,0"}) EXPECT_FALSE(number_of(text)) << text;
}

}  // namespace
}  // namespace linformer
