// SPDX-License-Identifier: Apache-2.0
#include "report/scaling_input.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

constexpr char kCompare[] =
    R"({"rows":[{"attention":"vanilla fused","n":256,"batch":8,"median_ms":12.5,"p10_ms":12,
    "p90_ms":13.5,"peak_bytes":1000000,"status":"ok"},{"attention":"vanilla fused","n":512,
    "batch":4,"median_ms":null,"p10_ms":null,"p90_ms":null,"peak_bytes":null,"status":"refused"}],
    "device":"cpu","versions":{"linformer":"1.2","libtorch":"2.11.0"},"config":"configs/perf.yaml",
    "measured":"one pass","encoder_only":true})";

ReportInputs compare_of(const std::string& text) {
  ReportInputs inputs;
  const JsonObject json = JsonObject::parse(text, "c.json");
  EXPECT_TRUE(is_compare_json(json));
  read_compare(json, inputs);
  return inputs;
}

ReportInputs timing_of(const std::string& path, const std::string& text) {
  ReportInputs inputs;
  EXPECT_TRUE(is_timing_text(text));
  read_timing_file(path, text, inputs);
  return inputs;
}

TEST(ScalingInput, ACompareJsonIsOneStudy) {
  const ReportInputs inputs = compare_of(kCompare);
  ASSERT_EQ(inputs.scaling.size(), 1U);
  const ScalingInput& study = inputs.scaling[0];
  EXPECT_EQ(study.title, "perf.yaml");
  EXPECT_EQ(study.measured, "one pass");
  EXPECT_EQ(study.versions, "libtorch 2.11.0, linformer 1.2");
  EXPECT_TRUE(study.is_encoder);
  ASSERT_EQ(study.rows.size(), 2U);
  EXPECT_EQ(study.rows[0].median_ms, 12.5);
  EXPECT_EQ(study.rows[0].p90_ms, 13.5);
  EXPECT_EQ(study.rows[0].peak_bytes, 1e6);
  EXPECT_EQ(study.rows[1].status, "refused");
  EXPECT_FALSE(study.rows[1].median_ms);
}

TEST(ScalingInput, WhatAJsonLacksIsNamedWithItsPlace) {
  EXPECT_EQ(error_text<DataError>(
                [] { compare_of(R"({"rows":[{"attention":"a","n":256}],"measured":"x"})"); }),
            "c.json: rows[0]: batch is missing");
  EXPECT_EQ(error_text<DataError>([] {
              compare_of(
                  R"({"rows":[{"attention":"a","n":1,"batch":1,"median_ms":"x"}],"measured":"x"})");
            }),
            "c.json: rows[0]: median_ms is no number");
  EXPECT_EQ(
      error_text<DataError>([] {
        compare_of(R"({"rows":[{"attention":"a","n":1,"batch":1,"median_ms":0}],"measured":"x"})");
      }),
      "c.json: rows[0]: median_ms must be above 0");
}

TEST(ScalingInput, EveryStudyOfALabIsOne) {
  ReportInputs inputs;
  const std::string rows =
      R"("rows":[{"attention":"vanilla fused","n":256,"batch":1,"median_ms":2}])";
  const JsonObject json = JsonObject::parse(
      R"({"kind":"linformer-lab","version":1,"device":"gpu","studies":[{"name":"encoder",)" + rows +
          R"(},{"name":"training_step","measured":"a step",)" + rows + "}]}",
      "lab.json");
  EXPECT_TRUE(is_lab_json(json));
  EXPECT_FALSE(is_compare_json(json));
  read_lab(json, inputs);
  ASSERT_EQ(inputs.scaling.size(), 2U);
  EXPECT_EQ(inputs.scaling[0].title, "lab, encoder");
  EXPECT_TRUE(inputs.scaling[0].is_encoder);
  EXPECT_EQ(inputs.scaling[1].title, "lab, training step");
  EXPECT_FALSE(inputs.scaling[1].is_encoder);
  EXPECT_EQ(inputs.scaling[1].device, "gpu");
  EXPECT_EQ(error_text<DataError>([] {
              ReportInputs unused;
              read_lab(JsonObject::parse(R"({"version":2,"studies":[]})", "lab.json"), unused);
            }),
            "lab.json: is a lab of version 2 (want 1)");
}

TEST(ScalingInput, TimingFilesOfCompareAreNamedByTheirFiles) {
  const ReportInputs inputs = timing_of("d/out.linformer-k32-fused.csv", "256/8,512/4\n0.5,1.25\n");
  ASSERT_EQ(inputs.scaling.size(), 1U);
  ASSERT_EQ(inputs.scaling[0].rows.size(), 2U);
  EXPECT_EQ(inputs.scaling[0].rows[1].attention, "linformer k=32 fused");
  EXPECT_EQ(inputs.scaling[0].rows[1].length, 512);
  EXPECT_EQ(inputs.scaling[0].rows[1].batch, 4);
  EXPECT_EQ(inputs.scaling[0].rows[1].median_ms, 1250.0);
  EXPECT_TRUE(inputs.scaling[0].notes.empty());
  EXPECT_EQ(timing_of("o.vanilla-unfused.csv", "1/1\n1\n").scaling[0].rows[0].attention,
            "vanilla unfused");
  EXPECT_EQ(timing_of("mine.csv", "1/1\r\n1\r\n").scaling[0].rows[0].attention, "mine");
  EXPECT_TRUE(timing_of("mine_encoder_only.csv", "1/1\n1\n").scaling[0].is_encoder);
}

TEST(ScalingInput, OtherTextsAreNoTimingFiles) {
  for (const char* text :
       {"", "input,candidate,reference\n", "256,512\n", "256/\n", "0/4\n", "a/b\n"})
    EXPECT_FALSE(is_timing_text(text)) << text;
}

TEST(ScalingInput, BrokenTimingFilesAreNamed) {
  EXPECT_EQ(error_text<DataError>([] { timing_of("t.csv", "256/8,512/4\n0.5\n"); }),
            "t.csv: is a timing file without exactly one row of 2 times");
  for (const char* value : {"x", "-1", "nan", "inf", "0"}) {
    EXPECT_EQ(
        error_text<DataError>([&] { timing_of("t.csv", "256/8\n" + std::string(value) + "\n"); }),
        "t.csv:2: the time below 256/8 is no number above 0 (got " + std::string(value) + ")");
  }
}

}  // namespace
}  // namespace linformer
