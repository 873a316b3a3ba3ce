// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "report/sections.h"
#include "support/report_inputs.h"

namespace linformer {
namespace {

using Row = std::vector<std::string>;

TEST(SettingSection, EveryFigureHasItsMachine) {
  ReportInputs inputs;
  inputs.runs.resize(1);
  inputs.runs[0].name = "demo";
  inputs.runs[0].environment = "cpu, AVX512";
  inputs.runs[0].version = "1.2";
  EvaluationRecord record;
  record.test_set = "news";
  record.data = {{"news.csv", std::string(64, 'a')}};
  record.device = "gpu";
  record.linformer = "1.2";
  record.libtorch = "2.11.0";
  record.step = 5;
  record.seconds = 1.25;
  record.max_new_tokens = 50;
  inputs.evaluations.push_back({"demo", record});
  inputs.scaling.push_back(example_scaling());
  const std::vector<Table> tables = tables_of(setting_section(inputs));
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(
      tables[0].rows,
      (std::vector<Row>{{"training of demo", "cpu, AVX512", "linformer 1.2"},
                        {"evaluation of demo on news", "gpu", "linformer 1.2, libtorch 2.11.0"},
                        {"example", "cpu", "-"}}));
  EXPECT_EQ(tables[1].rows.at(0), (Row{"demo", "news", "5", "greedy, at most 50 tokens", "1.2",
                                       "news.csv (SHA-256 aaaaaaaaaaaa)"}));
}

TEST(SettingSection, NothingGivenIsNoSection) { EXPECT_TRUE(setting_section({}).blocks.empty()); }

}  // namespace
}  // namespace linformer
