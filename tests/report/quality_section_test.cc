// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "report/sections.h"
#include "support/report_inputs.h"

namespace linformer {
namespace {

using Row = std::vector<std::string>;

QualityRow full_row() {
  QualityRow row;
  row.system = "run";
  row.test_set = "news";
  row.bleu = 21.255;
  row.lower = 20.5;
  row.upper = 22.5;
  row.chrf = 40.5;
  row.perplexity = 5.5;
  row.bits_per_byte = 0.75;
  row.sentences = 100;
  row.projected_length = 8;
  row.longer_than_k = 0.755;
  row.signature = "nrefs:1";
  return row;
}

TEST(QualitySection, ARowHoldsEveryScoreAndTheSignatureStandsBelow) {
  const Section section = quality_section({}, {full_row()});
  const Table table = tables_of(section).at(0);
  EXPECT_EQ(table.rows.at(0), (Row{"run", "news", "21.25", "20.50 to 22.50", "40.50", "5.50",
                                   "0.750", "100", "8", "75.5 %", "a"}));
  EXPECT_EQ(table.notes.at(0), "a: BLEU|nrefs:1");
}

TEST(QualitySection, ARunWithoutAnEvaluationHasARowOfDashes) {
  ReportInputs inputs;
  inputs.runs.resize(3);
  inputs.runs[0].name = "run";
  inputs.runs[1].name = "other";
  inputs.runs[2].name = "third";
  QualityRow averaged = full_row();
  averaged.system = "third, averaged";
  const Table table = tables_of(quality_section(inputs, {full_row(), averaged})).at(0);
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[2], (Row{"other", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"}));
}

TEST(QualitySection, EachSignatureHasItsLetter) {
  QualityRow other = full_row();
  other.signature = "tok:none";
  QualityRow without = full_row();
  without.signature.clear();
  const Table table =
      tables_of(quality_section({}, {full_row(), other, full_row(), without})).at(0);
  const std::size_t last = table.columns.size() - 1;
  EXPECT_EQ(table.rows[0][last], "a");
  EXPECT_EQ(table.rows[1][last], "b");
  EXPECT_EQ(table.rows[2][last], "a");
  EXPECT_EQ(table.rows[3][last], "-");
  EXPECT_EQ(table.notes.at(1), "b: BLEU|tok:none");
}

TEST(QualitySection, TablesOfTheSameReferencesAreCompared) {
  ReportInputs inputs;
  const std::vector<std::string> references{"a b c d e", "f g h i j", "k l m n o"};
  inputs.translations = {
      {"worse", "news", false, {}, {"a b c d x", "f x h i j", "k l m n o"}, references},
      {"best", "news", false, {}, references, references},
      {"alone", "other", false, {}, {"a b c d"}, {"a b c d"}}};
  const std::vector<Table> tables = tables_of(quality_section(inputs, quality_rows(inputs)));
  ASSERT_EQ(tables.size(), 2U);
  ASSERT_EQ(tables[1].rows.size(), 1U);
  EXPECT_EQ(tables[1].rows[0][1], "best");
  EXPECT_EQ(tables[1].rows[0][2], "worse");
  EXPECT_GT(std::stod(tables[1].rows[0][3]), 0.0);
}

TEST(QualitySection, TheOriginalsPrintedScoreStandsBesideTheTrueOne) {
  QualityRow row = full_row();
  row.as_printed = 30.08;
  const std::vector<Table> tables = tables_of(quality_section({}, {row}));
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[1].rows.at(0), (Row{"run", "21.25", "30.08"}));
}

TEST(QualitySection, MeansOverSeedsStandBelowTheSingleRuns) {
  ReportInputs inputs = seeded_runs({20, 24, 22});
  inputs.evaluations[1].record.step = 300;
  inputs.evaluations[2].record.bits_per_byte = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Table> tables = tables_of(quality_section(inputs, quality_rows(inputs)));
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].rows.size(), 3U);
  ASSERT_EQ(tables[1].rows.size(), 1U);
  EXPECT_EQ(tables[1].rows[0], (Row{"s1, s2, s3", "news", "3", "100 to 300", "22.00 ± 2.00",
                                    "44.00 ± 4.00", "5.50 ± 0.50", "-", "a"}));
  EXPECT_EQ(tables_of(quality_section(seeded_runs({20}), {full_row()})).size(), 1U);
}

TEST(QualitySection, NothingGivenIsNoSection) {
  EXPECT_TRUE(quality_section({}, {}).blocks.empty());
}

}  // namespace
}  // namespace linformer
