// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "report/sections.h"
#include "support/report_inputs.h"

namespace linformer {
namespace {

using Row = std::vector<std::string>;

const Row* row_of(const Table& table, const std::string& n, const std::string& k) {
  const auto found =
      std::ranges::find_if(table.rows, [&](const Row& row) { return row[0] == n && row[1] == k; });
  return found == table.rows.end() ? nullptr : &*found;
}

TEST(PaperSection, OursStandBesideThePaper) {
  ReportInputs inputs;
  inputs.scaling.push_back(example_scaling());
  const std::vector<Table> tables = tables_of(paper_section(inputs));
  ASSERT_EQ(tables.size(), 1U);
  // At n = 2048 vanilla takes four times the time and memory.
  ASSERT_NE(row_of(tables[0], "2048", "128"), nullptr);
  EXPECT_EQ(*row_of(tables[0], "2048", "128"),
            (Row{"2048", "128", "2.6", "6.1", "4.00", "4.00", "not measured", "not measured"}));
  EXPECT_EQ(*row_of(tables[0], "65536", "2048"),
            (Row{"65536", "2048", "7.9", "18", "not measured", "not measured", "not measured",
                 "not measured"}));
  // Measured here and not in the paper.
  EXPECT_EQ(*row_of(tables[0], "256", "128"),
            (Row{"256", "128", "-", "-", "0.50", "0.50", "not measured", "not measured"}));
}

TEST(PaperSection, AFusedLinformerIsPreferredAndBothBaselinesShown) {
  ReportInputs inputs;
  inputs.scaling.push_back(example_scaling());
  inputs.scaling[0].rows.push_back(timed_row("linformer k=128 fused", 2048, 1, 8.0, 1e6));
  inputs.scaling[0].rows.push_back(timed_row("vanilla fused", 2048, 1, 24.0, 4e6));
  const Table table = tables_of(paper_section(inputs)).at(0);
  EXPECT_EQ(*row_of(table, "2048", "128"),
            (Row{"2048", "128", "2.6", "6.1", "8.00", "128.00", "3.00", "4.00"}));
}

TEST(PaperSection, WithoutAnEncoderThePaperStandsAlone) {
  ReportInputs inputs;
  EXPECT_TRUE(paper_section(inputs).blocks.empty());
  inputs.scaling.push_back(example_scaling());
  inputs.scaling[0].is_encoder = false;
  const Table table = tables_of(paper_section(inputs)).at(0);
  EXPECT_EQ(row_of(table, "256", "128"), nullptr);
  EXPECT_EQ(row_of(table, "512", "128")->at(4), "not measured");
  EXPECT_EQ(table.rows.size(), 34U);
}

TEST(PaperSection, ASecondMeasurementShowsItsOwnRowsAlone) {
  ReportInputs inputs;
  inputs.scaling = {example_scaling(), example_scaling()};
  const std::vector<Table> tables = tables_of(paper_section(inputs));
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[1].rows.size(), 4U);
}

}  // namespace
}  // namespace linformer
