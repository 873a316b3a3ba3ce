// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "report/sections.h"
#include "scoring/as_seed.h"
#include "scoring/bleu.h"
#include "scoring/bootstrap.h"
#include "scoring/chrf.h"

namespace linformer {
namespace {

const std::vector<std::string> kReferences{"ein Hund läuft über die Wiese",
                                           "zwei Katzen schlafen im Haus",
                                           "der Mann liest heute ein Buch"};
const std::vector<std::string> kCandidates{"ein Hund läuft über eine Wiese",
                                           "zwei Katzen schlafen im Haus",
                                           "der Mann liest ein altes Buch"};

TranslationInput table() { return {"sys", "news", false, {}, kCandidates, kReferences}; }

TEST(QualityRows, TablesAreScoredAsScoreDoes) {
  ReportInputs inputs;
  inputs.translations.push_back(table());
  const std::vector<QualityRow> rows = quality_rows(inputs);
  ASSERT_EQ(rows.size(), 1U);
  const auto segments = segment_statistics(kCandidates, kReferences, BleuTokenize::k13a);
  EXPECT_EQ(rows[0].bleu, corpus_bleu(kCandidates, kReferences).score);
  EXPECT_EQ(rows[0].lower, bootstrap_interval(segments).lower);
  EXPECT_EQ(rows[0].upper, bootstrap_interval(segments).upper);
  EXPECT_EQ(rows[0].chrf, corpus_chrf(kCandidates, kReferences).score);
  EXPECT_EQ(rows[0].sentences, 3);
  EXPECT_FALSE(rows[0].as_printed);
}

TEST(QualityRows, TheOriginalsTablesAreScoredItsWayToo) {
  ReportInputs inputs;
  inputs.translations.push_back(table());
  inputs.translations[0].is_original = true;
  EXPECT_EQ(quality_rows(inputs)[0].as_printed, as_seed_bleu(kCandidates, kReferences).score);
}

TEST(QualityRows, EvaluationsKeepTheirNumbersAndRowsStandByTestSet) {
  ReportInputs inputs;
  EvaluationRecord record;
  record.test_set = "news";
  record.bleu = 21.25;
  record.bleu_interval = {{20.5, 22.5}};
  record.chrf = 40.5;
  record.perplexity = 5.5;
  record.sentences = 3;
  record.projected_length = 8;
  record.sources_longer_than_k = 0.75;
  inputs.evaluations.push_back({"run", record});
  record.test_set = "talks";
  record.bleu_interval.reset();
  inputs.evaluations.push_back({"run", record});
  inputs.translations.push_back(table());
  const std::vector<QualityRow> rows = quality_rows(inputs);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].bleu, 21.25);
  EXPECT_EQ(rows[0].upper, 22.5);
  EXPECT_EQ(rows[0].longer_than_k, 0.75);
  EXPECT_EQ(rows[1].system, "sys");
  EXPECT_EQ(rows[2].test_set, "talks");
  EXPECT_GT(rows[2].lower, rows[2].upper);
}

TEST(QualityRows, TheTableOfAnEvaluationIsNoSecondRow) {
  ReportInputs inputs;
  inputs.translations.push_back(table());
  inputs.translations[0].is_evaluated = true;
  EXPECT_TRUE(quality_rows(inputs).empty());
}

TEST(QualityRows, ScoresWithoutAnIntervalHaveNone) {
  ReportInputs inputs;
  inputs.scores.push_back({"a.de", 12.5, std::nullopt, "tok:13a", 30.5, 7});
  const std::vector<QualityRow> rows = quality_rows(inputs);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_GT(rows[0].lower, rows[0].upper);
  EXPECT_EQ(rows[0].sentences, 7);
}

}  // namespace
}  // namespace linformer
