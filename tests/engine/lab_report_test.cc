// SPDX-License-Identifier: Apache-2.0
#include "engine/lab_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace linformer {
namespace {

LabResult some_result() {
  CompareRow row{.attention = "vanilla fused",
                 .file_name = "vanilla-fused",
                 .length = 256,
                 .batch = 8,
                 .times_ms = {3, 1, 2},
                 .peak_bytes = 5'000'000};
  CompareRow skipped = row;
  skipped.length = 512;
  skipped.times_ms.clear();
  skipped.status = CompareStatus::kSkipped;
  return {
      .device = "cpu, 2 threads",
      .libtorch = "2.11.0",
      .minutes = 10,
      .seconds = 12.5,
      .studies = {{"encoder", "one pass", 2048, {row, skipped}}, {"decoding", "a step", 8, {}}}};
}

TEST(LabReport, JsonHasItsKindItsVersionAndAllStudies) {
  const std::string text = lab_json(some_result());
  EXPECT_TRUE(text.ends_with("}\n"));
  const nlohmann::json json = nlohmann::json::parse(text);
  EXPECT_EQ(json.at("kind"), "linformer-lab");
  EXPECT_EQ(json.at("version"), 1);
  EXPECT_EQ(json.at("device"), "cpu, 2 threads");
  EXPECT_EQ(json.at("versions").at("libtorch"), "2.11.0");
  EXPECT_EQ(json.at("minutes"), 10);
  EXPECT_EQ(json.at("seconds"), 12.5);
  ASSERT_EQ(json.at("studies").size(), 2u);
  const nlohmann::json& study = json.at("studies")[0];
  EXPECT_EQ(study.at("name"), "encoder");
  EXPECT_EQ(study.at("unit"), "ms");
  EXPECT_EQ(study.at("measured"), "one pass");
  EXPECT_EQ(study.at("tokens"), 2048);
  EXPECT_EQ(study.at("rows")[0].at("median_ms"), 2.0);
  EXPECT_EQ(study.at("rows")[0].at("peak_bytes"), 5'000'000);
  EXPECT_EQ(study.at("rows")[1].at("status"), "skipped");
  EXPECT_TRUE(study.at("rows")[1].at("median_ms").is_null());
}

TEST(LabReport, TablesNameEachStudy) {
  const std::string text = lab_tables(some_result());
  EXPECT_TRUE(text.starts_with("cpu, 2 threads; 12 s\n\nencoder: one pass\n")) << text;
  EXPECT_NE(text.find("\ndecoding: a step\n"), std::string::npos);
  EXPECT_NE(text.find("skipped\n"), std::string::npos);
}

TEST(LabReport, CountsRowsByTheirStatus) {
  EXPECT_EQ(count_rows(some_result(), CompareStatus::kSkipped), 1);
  EXPECT_EQ(count_rows(some_result(), CompareStatus::kOk), 1);
  EXPECT_EQ(count_rows(some_result(), CompareStatus::kOom), 0);
}

}  // namespace
}  // namespace linformer
