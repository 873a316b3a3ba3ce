// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "report/sections.h"
#include "support/report_inputs.h"

namespace linformer {
namespace {

using Row = std::vector<std::string>;

TEST(ScalingSection, TablesHoldCostsExponentsAndCrossover) {
  ReportInputs inputs;
  inputs.scaling.push_back(example_scaling());
  const Section section = scaling_section(inputs);
  const std::vector<Table> tables = tables_of(section);
  ASSERT_EQ(tables.size(), 3U);
  EXPECT_EQ(tables[0].rows[0], (Row{"vanilla unfused", "1.00", "4.00", "16.0", "64.0"}));
  EXPECT_EQ(tables[0].rows[1], (Row{"linformer k=128 unfused", "2.00", "4.00", "8.00", "16.0"}));
  EXPECT_EQ(tables[1].rows[0], (Row{"vanilla unfused", "2.00", "8.00", "32.0", "128"}));
  EXPECT_EQ(tables[2].rows[0],
            (Row{"vanilla unfused", "2.00", "2.00", "512, 1024, 2048", "-", "-"}));
  EXPECT_EQ(tables[2].rows[1],
            (Row{"linformer k=128 unfused", "1.00", "1.00", "512, 1024, 2048", "512", "-"}));
}

TEST(ScalingSection, FiguresAreLogarithmicAndMarkSpreads) {
  ReportInputs inputs;
  inputs.scaling.push_back(example_scaling());
  inputs.scaling[0].rows[0].p10_ms = 7.9;
  const std::vector<Figure> figures = figures_of(scaling_section(inputs));
  ASSERT_EQ(figures.size(), 2U);
  for (const Figure& figure : figures) {
    EXPECT_TRUE(figure.plot.is_log);
    EXPECT_EQ(figure.plot.lines.size(), 2U);
  }
  EXPECT_TRUE(figures[0].plot.has_spread);
  EXPECT_FALSE(figures[1].plot.has_spread);
  EXPECT_EQ(figures[0].plot.lines[1].points[3].y, 16.0);
  EXPECT_EQ(figures[1].plot.lines[1].points[3].y, 32.0);
}

TEST(ScalingSection, RowsWithoutATimeSayWhy) {
  ReportInputs inputs;
  inputs.scaling.push_back(example_scaling());
  inputs.scaling[0].rows.push_back({"vanilla unfused", 4096, 1, "refused"});
  inputs.scaling[0].rows.push_back({"linformer k=128 unfused", 4096, 1, "too_long"});
  const std::vector<Table> tables = tables_of(scaling_section(inputs));
  EXPECT_EQ(tables[0].rows[0].back(), "refused");
  EXPECT_EQ(tables[0].rows[1].back(), "too long");
}

TEST(ScalingSection, NothingMeasuredIsNoFailure) {
  ReportInputs inputs;
  EXPECT_TRUE(scaling_section(inputs).blocks.empty());
  ScalingInput input;
  input.title = "t";
  input.rows.push_back({"vanilla unfused", 256, 1, "oom"});
  inputs.scaling.push_back(input);
  const Section section = scaling_section(inputs);
  EXPECT_TRUE(figures_of(section).empty());
  EXPECT_EQ(tables_of(section).at(0).rows[0], (Row{"vanilla unfused", "oom"}));
}

}  // namespace
}  // namespace linformer
