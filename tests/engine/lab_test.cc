// SPDX-License-Identifier: Apache-2.0
#include "engine/lab.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/log.h"
#include "engine/runs.h"
#include "support/temp_directory.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

const DeviceChoice kCpu{.device = at::kCPU, .dtype = at::kFloat, .description = "cpu"};

/// All four studies in seconds.
LabPlan tiny_plan(double minutes) {
  LabPlan out;
  out.model = tiny_config("compat_linear", 64);
  out.model.max_length = 32;
  out.slots = {4, 8};
  out.minutes = minutes;
  out.encoder = {{16, 32}, 64, 0.25};
  out.encoder_decoder = {{16}, 64, 0.5};
  out.training_step = {{16, 32}, 32, 0.75};
  out.decoding = {{16, 32}, 32, 1.0};
  return out;
}

class Lab : public ::testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  void TearDown() override { set_log_sink({}); }
};

std::set<std::string> attentions(const StudyResult& study) {
  std::set<std::string> out;
  for (const CompareRow& row : study.rows) out.insert(row.attention);
  return out;
}

TEST_F(Lab, MeasuresEveryKindOfEveryStudyAtEveryLength) {
  const LabResult result = run_studies(tiny_plan(60), kCpu);
  ASSERT_EQ(result.studies.size(), 4u);
  const std::vector<std::string> names{"encoder", "encoder_decoder", "training_step", "decoding"};
  const std::vector<std::size_t> rows{18, 9, 12, 6};
  for (std::size_t i = 0; i < 4; ++i) {
    const StudyResult& study = result.studies[i];
    EXPECT_EQ(study.name, names[i]);
    ASSERT_EQ(study.rows.size(), rows[i]) << study.name;
    for (const CompareRow& row : study.rows) {
      EXPECT_EQ(row.status, CompareStatus::kOk) << study.name << " " << row.attention;
      ASSERT_GE(row.times_ms.size(), 3u);
      EXPECT_LE(row.times_ms.size(), 20u);
      EXPECT_GT(quantile(row.times_ms, 0.1), 0.0);
      EXPECT_GT(row.peak_bytes, 0);
    }
  }
  EXPECT_EQ(attentions(result.studies[0]),
            (std::set<std::string>{"vanilla unfused", "vanilla fused", "vanilla ours",
                                   "linformer k=4 unfused", "linformer k=4 fused",
                                   "linformer k=4 ours", "linformer k=8 unfused",
                                   "linformer k=8 fused", "linformer k=8 ours"}));
  EXPECT_EQ(attentions(result.studies[2]),
            (std::set<std::string>{"vanilla unfused", "vanilla fused", "linformer k=4 unfused",
                                   "linformer k=4 fused", "linformer k=8 unfused",
                                   "linformer k=8 fused"}));
  EXPECT_EQ(attentions(result.studies[3]),
            (std::set<std::string>{"vanilla fused", "linformer k=4 fused", "linformer k=8 fused"}));
  EXPECT_EQ(result.studies[3].rows[0].batch, 2);
  EXPECT_EQ(result.studies[0].measured,
            "one forward pass of the encoder over 64 tokens; 2 layers of width 16, 64 token types");
}

TEST_F(Lab, SkipsWhatTheTimeDoesNotHold) {
  const LabResult result = run_studies(tiny_plan(1e-9), kCpu);
  EXPECT_EQ(count_rows(result, CompareStatus::kSkipped), 18 + 9 + 12 + 6);
  EXPECT_EQ(count_rows(result, CompareStatus::kOk), 0);
}

TEST_F(Lab, TheVerbWritesWhatItPrints) {
  const TempDirectory directory;
  const LabOptions options{.minutes = 1e-9, .output = directory.file("a/lab")};
  CommonOptions common{.json = true};
  common.device = "cpu";
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_lab(options, common), 0);
  const std::string out = testing::internal::GetCapturedStdout();
  EXPECT_EQ(slurp(directory.file("a/lab/lab.json")), out);
  const nlohmann::json json = nlohmann::json::parse(out);
  EXPECT_EQ(json.at("kind"), "linformer-lab");
  for (const nlohmann::json& study : json.at("studies")) {
    for (const nlohmann::json& row : study.at("rows")) {
      EXPECT_NE(row.at("status"), "ok");
      EXPECT_TRUE(row.at("median_ms").is_null());
    }
  }
}

}  // namespace
}  // namespace linformer
