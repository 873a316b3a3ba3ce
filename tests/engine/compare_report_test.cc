// SPDX-License-Identifier: Apache-2.0
#include "engine/compare_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace linformer {
namespace {

std::vector<CompareRow> some_rows() {
  CompareRow vanilla{
      .attention = "vanilla fused", .file_name = "vanilla-fused", .length = 256, .batch = 8};
  vanilla.times_ms = {30, 10, 20};
  vanilla.peak_bytes = 5'000'000;
  vanilla.needed_bytes = 4e6;
  CompareRow linformer{.attention = "linformer k=32 fused",
                       .file_name = "linformer-k32-fused",
                       .length = 256,
                       .batch = 8};
  linformer.times_ms = {5, 5, 5};
  linformer.peak_bytes = 4'000'000;
  CompareRow refused = vanilla;
  refused.length = 512;
  refused.batch = 4;
  refused.times_ms.clear();
  refused.status = CompareStatus::kRefused;
  refused.needed_bytes = 1e12;
  CompareRow longer = linformer;
  longer.length = 512;
  longer.batch = 4;
  longer.times_ms = {8};
  return {vanilla, linformer, refused, longer};
}

TEST(Quantile, LiesBetweenNeighbours) {
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile({4, 1, 2, 3}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({0, 10}, 0.1), 1);
  EXPECT_DOUBLE_EQ(quantile({0, 10}, 0.9), 9);
  EXPECT_EQ(quantile({7}, 0.9), 7);
}

TEST(CompareReport, JsonHoldsARowForEveryAttentionAndLength) {
  const CompareSetting setting{.config = "c.yaml",
                               .device = "cpu",
                               .libtorch = "2.11.0",
                               .measured = "all",
                               .projection = "linear",
                               .tokens = 2048};
  const nlohmann::json json = nlohmann::json::parse(compare_json(setting, some_rows()));
  ASSERT_EQ(json.at("rows").size(), 4u);
  const nlohmann::json& first = json.at("rows")[0];
  EXPECT_EQ(first.at("attention"), "vanilla fused");
  EXPECT_EQ(first.at("n"), 256);
  EXPECT_EQ(first.at("batch"), 8);
  EXPECT_EQ(first.at("median_ms"), 20.0);
  EXPECT_EQ(first.at("p10_ms"), 12.0);
  EXPECT_EQ(first.at("p90_ms"), 28.0);
  EXPECT_EQ(first.at("peak_bytes"), 5'000'000);
  EXPECT_EQ(first.at("status"), "ok");
  const nlohmann::json& refused = json.at("rows")[2];
  EXPECT_EQ(refused.at("status"), "refused");
  EXPECT_TRUE(refused.at("median_ms").is_null() && refused.at("peak_bytes").is_null());
  EXPECT_EQ(refused.at("needed_bytes"), 1'000'000'000'000);
  EXPECT_EQ(json.at("device"), "cpu");
  EXPECT_EQ(json.at("versions").at("libtorch"), "2.11.0");
  EXPECT_TRUE(json.at("versions").contains("linformer"));
}

TEST(CompareReport, TableSaysWhatEachRowGains) {
  const std::string table = compare_table({.device = "cpu", .measured = "one pass"}, some_rows());
  EXPECT_TRUE(table.starts_with("one pass; cpu\n"));
  EXPECT_NE(
      table.find("linformer k=32 fused            5.00      5.00      5.00       4.0       4.00\n"),
      std::string::npos)
      << table;
  EXPECT_NE(table.find("refused (needs 1000000.0 MB)\n"), std::string::npos) << table;
  EXPECT_NE(table.find("8.00      8.00      8.00       4.0          -\n"), std::string::npos)
      << table;
}

TEST(CompareReport, SaysWhatWasCheckedSkippedAndDoneHeadByHead) {
  std::vector<CompareRow> rows = some_rows();
  rows[0].by_head = true;
  rows[2].status = CompareStatus::kSkipped;
  CompareSetting setting{.head = "nll", .checked = {{"vanilla fused", 0.0125, 0.1}}};
  const nlohmann::json json = nlohmann::json::parse(compare_json(setting, rows));
  EXPECT_EQ(json.at("head"), "nll");
  EXPECT_EQ(json.at("check")[0], nlohmann::json({{"attention", "vanilla fused"},
                                                 {"max_relative_error", 0.0125},
                                                 {"tolerance", 0.1}}));
  EXPECT_EQ(json.at("rows")[0].at("by_head"), true);
  EXPECT_EQ(json.at("rows")[2].at("status"), "skipped");
  const std::string table = compare_table(setting, rows);
  EXPECT_NE(table.find(" (one head at a time)\n"), std::string::npos) << table;
  EXPECT_NE(table.find("skipped\n"), std::string::npos) << table;
  EXPECT_NE(table.find("vanilla fused: 0.0125 (tolerance 0.1)\n"), std::string::npos) << table;
}

TEST(CompareReport, SpeedUpsAreOverVanillaOnTheSamePath) {
  std::vector<CompareRow> rows = some_rows();
  CompareRow ours = rows[1];
  ours.attention = "linformer k=32 ours";
  ours.file_name = "linformer-k32-ours";
  rows.insert(rows.begin() + 2, ours);
  const std::string table = rows_table(rows);
  EXPECT_NE(
      table.find("linformer k=32 ours             5.00      5.00      5.00       4.0          -\n"),
      std::string::npos)
      << table;
}

TEST(CompareReport, CsvIsTheOriginalsFileWithoutRowsThatHaveNoTime) {
  EXPECT_EQ(compare_csv(some_rows(), "linformer-k32-fused"), "256/8,512/4\n0.005,0.008\n");
  EXPECT_EQ(compare_csv(some_rows(), "vanilla-fused"), "256/8\n0.02\n");
}

TEST(CompareReport, SiblingsStandBesideTheOutput) {
  EXPECT_EQ(sibling_path("a/perf.csv", "vanilla-fused"), "a/perf.vanilla-fused.csv");
  EXPECT_EQ(sibling_path("perf", "vanilla-fused"), "perf.vanilla-fused.csv");
}

}  // namespace
}  // namespace linformer
