// SPDX-License-Identifier: Apache-2.0
#include "report/original_files.h"

#include <gtest/gtest.h>

#include "report/csv_lines.h"
#include "report/report_files.h"
#include "report/scaling_input.h"

namespace linformer {
namespace {

/// perf_vanilla.csv as the original published it; its times are totals of ten passes.
constexpr char kVanilla[] =
    "256/64,512/32,1024/16,2048/8,4096/4,8192/2,16384/1\r\n0.7629271900004824,0.9307466119998935,"
    "1.3166329380001116,2.309119905999978,3.665476683999259,6.824818299999606,13."
    "653947288000381\r\n";

TEST(OriginalFiles, AreKnownByTheirContentWhateverTheLineEnds) {
  std::string unix_lines = kVanilla;
  std::erase(unix_lines, '\r');
  for (const std::string& text : {std::string(kVanilla), unix_lines}) {
    const auto found = find_original_file(text);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "vanilla unfused");
    EXPECT_EQ(found->measured, "encoder_decoder");
    EXPECT_EQ(found->passes, 10);
  }
  EXPECT_FALSE(find_original_file(unix_lines + "\n"));
  EXPECT_FALSE(find_original_file(""));
}

TEST(OriginalFiles, TenPassesBecomeOneInTheReport) {
  ReportInputs inputs;
  read_timing_file("renamed.csv", kVanilla, inputs);
  ASSERT_EQ(inputs.scaling.size(), 1U);
  const ScalingInput& study = inputs.scaling[0];
  EXPECT_EQ(study.title, "Original's timing files, encoder and decoder");
  EXPECT_FALSE(study.is_encoder);
  EXPECT_NEAR(study.rows[6].median_ms.value(), 1365.3947288, 1e-6);
  ASSERT_EQ(study.notes.size(), 1U);
  EXPECT_NE(study.notes[0].find("total of 10 passes"), std::string::npos);
}

TEST(OriginalFiles, EightTimingFilesAndThreeTranslationsAreListed) {
  const auto rows = csv_lines(kOriginalFiles);
  ASSERT_EQ(rows.size(), 11U);
  int with_passes = 0;
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), 4U);
    EXPECT_EQ(row[0].size(), 64U);
    with_passes += row[3].empty() ? 0 : 1;
  }
  EXPECT_EQ(with_passes, 8);
}

}  // namespace
}  // namespace linformer
