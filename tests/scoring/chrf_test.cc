// SPDX-License-Identifier: Apache-2.0
#include "scoring/chrf.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linformer/error.h"
#include "scoring/golden_corpora.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

using Texts = std::vector<std::string>;

double chrf(const Texts& hypotheses, const Texts& references) {
  return corpus_chrf(hypotheses, references).score;
}

TEST(Chrf, APerfectTranslationScoresAHundred) {
  EXPECT_NEAR(chrf({"Grüße aus München"}, {"Grüße aus München"}), 100, 1e-9);
}

TEST(Chrf, WhiteSpaceDoesNotCount) {
  EXPECT_NEAR(chrf({"a b\u00a0c\u3000d e f"}, {"abcdef"}), 100, 1e-9);
}

TEST(Chrf, NothingInCommonScoresZero) {
  EXPECT_EQ(chrf({"xyz"}, {"abc"}), 0.0);
  EXPECT_EQ(chrf({""}, {"abc"}), 0.0);
  EXPECT_EQ(chrf({"abc"}, {""}), 0.0);
  EXPECT_EQ(chrf({""}, {""}), 0.0);
}

TEST(Chrf, RecallWeighsMoreThanPrecision) {
  EXPECT_GT(chrf({"abcdefgh"}, {"abcdef"}), chrf({"abcdef"}, {"abcdefgh"}));
}

TEST(Chrf, CharactersAreCodePoints) {
  const ChrfStatistics statistics = chrf_statistics("ü😀", "u\u0308😀");
  EXPECT_EQ(statistics.hypothesis[0], 2);
  EXPECT_EQ(statistics.reference[0], 3);
  EXPECT_EQ(statistics.matches[0], 1);
}

TEST(Chrf, OrdersThatTheReferenceLacksCountNothing) {
  const ChrfStatistics statistics = chrf_statistics("abcdef", "ab");
  EXPECT_EQ(statistics.hypothesis[1], 5);
  EXPECT_EQ(statistics.hypothesis[2], 0);
  EXPECT_EQ(statistics.reference[2], 0);
}

TEST(Chrf, StatisticsAddUp) {
  ChrfStatistics sum = chrf_statistics("one two", "one to");
  sum += chrf_statistics("three", "tree");
  EXPECT_EQ(chrf_from_statistics(sum).score, chrf({"one two", "three"}, {"one to", "tree"}));
}

TEST(Chrf, DifferentCountsAreAnError) {
  EXPECT_NE(error_text<DataError>([] { chrf({"a"}, {}); }).find("1 hypotheses, 0 references"),
            std::string::npos);
}

TEST(Chrf, EqualsSacrebleuOnGeneratedCorpora) {
  const auto& golden = scoring_golden();
  for (std::size_t index = 0; index < golden["corpora"].size(); ++index) {
    const auto& corpus = golden["corpora"][index];
    const ChrfScore score = corpus_chrf(texts(corpus["h"]), texts(corpus["r"]));
    EXPECT_NEAR(score.score, corpus["chrf"].get<double>(), 1e-9) << "corpus " << index;
    EXPECT_TRUE(std::isfinite(score.score));
    EXPECT_EQ(score.signature, golden["chrf_signature"].get<std::string>());
  }
}

TEST(Chrf, TheLineRoundsToTwoDigits) {
  const ChrfScore score = {.score = 49.896, .signature = "nrefs:1"};
  EXPECT_EQ(score.line(), "chrF2|nrefs:1 = 49.90");
}

}  // namespace
}  // namespace linformer
