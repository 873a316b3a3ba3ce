// SPDX-License-Identifier: Apache-2.0
#include "scoring/bootstrap.h"

#include <gtest/gtest.h>

#include <vector>

#include "linformer/error.h"
#include "scoring/golden_corpora.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

using Texts = std::vector<std::string>;

std::vector<BleuStatistics> statistics_of(const Texts& hypotheses, const Texts& references) {
  std::vector<BleuStatistics> result;
  for (std::size_t index = 0; index < hypotheses.size(); ++index) {
    result.push_back(bleu_statistics(hypotheses[index], std::span(references).subspan(index, 1),
                                     BleuTokenize::k13a));
  }
  return result;
}

TEST(Bootstrap, IntervalsAndPValuesEqualSacrebleus) {
  for (const auto& sample : scoring_golden()["bootstrap"]) {
    const Texts references = texts(sample["r"]);
    const auto first = statistics_of(texts(sample["first"]), references);
    const auto second = statistics_of(texts(sample["second"]), references);
    const BootstrapInterval interval = bootstrap_interval(first);
    EXPECT_NEAR(interval.mean, sample["mean"].get<double>(), 1e-9);
    EXPECT_NEAR(interval.half_width, sample["half_width"].get<double>(), 1e-9);
    EXPECT_NEAR(paired_bootstrap(first, second).p, sample["p"].get<double>(), 1e-12);
    BleuScore score = corpus_bleu(texts(sample["first"]), references);
    score.signature = bootstrap_signature(score.signature);
    EXPECT_EQ(score.line(interval.text()), sample["line"].get<std::string>());
  }
}

const Texts kReferences = {"the cat sat on the mat today", "a dog ran over the long street",
                           "we saw a red house there", "no one was at home then",
                           "they went to the old station"};
const Texts kGood = {"the cat sat on the mat today", "a dog ran over the long road",
                     "we saw a red house there", "no one was at home now",
                     "they went to the old station"};
const Texts kBad = {"the cat on mat", "dog over street", "we saw house there", "one was home",
                    "they to station"};

TEST(Bootstrap, TheIntervalHoldsTheScore) {
  const BootstrapInterval interval = bootstrap_interval(statistics_of(kGood, kReferences));
  const double score = corpus_bleu(kGood, kReferences).score;
  EXPECT_LT(interval.lower, score);
  EXPECT_GT(interval.upper, score);
  EXPECT_NEAR(interval.half_width, 0.5 * (interval.upper - interval.lower), 1e-12);
}

TEST(Bootstrap, OneSegmentHasNoSpread) {
  const auto statistics = statistics_of({kGood[1]}, {kReferences[1]});
  const BootstrapInterval interval = bootstrap_interval(statistics);
  EXPECT_EQ(interval.lower, interval.upper);
  EXPECT_NEAR(interval.mean, corpus_bleu(Texts{kGood[1]}, Texts{kReferences[1]}).score, 1e-4);
}

TEST(Bootstrap, EmptyHypothesesGiveZeroWithoutText) {
  const BootstrapInterval interval = bootstrap_interval(statistics_of({"", ""}, {"a b", "c d"}));
  EXPECT_EQ(interval.mean, 0.0);
  EXPECT_EQ(interval.text(), "");
}

TEST(PairedBootstrap, AClearlyBetterSystemIsSignificant) {
  const PairedBootstrap result =
      paired_bootstrap(statistics_of(kGood, kReferences), statistics_of(kBad, kReferences));
  EXPECT_GT(result.difference, 0);
  EXPECT_GT(result.lower, 0);
  EXPECT_LT(result.p, 0.05);
}

TEST(PairedBootstrap, ExchangingTheSystemsTurnsTheSign) {
  const auto first = statistics_of(kGood, kReferences);
  const auto second = statistics_of(kBad, kReferences);
  const PairedBootstrap forward = paired_bootstrap(first, second);
  const PairedBootstrap backward = paired_bootstrap(second, first);
  EXPECT_EQ(forward.difference, -backward.difference);
  EXPECT_EQ(forward.lower, -backward.upper);
  EXPECT_EQ(forward.p, backward.p);
}

TEST(PairedBootstrap, ASystemDoesNotDifferFromItself) {
  const auto statistics = statistics_of(kGood, kReferences);
  const PairedBootstrap result = paired_bootstrap(statistics, statistics);
  EXPECT_EQ(result.difference, 0);
  EXPECT_EQ(result.lower, 0);
  EXPECT_EQ(result.upper, 0);
  EXPECT_EQ(result.p, 1);
}

TEST(PairedBootstrap, DifferentCountsAreAnError) {
  const auto statistics = statistics_of(kGood, kReferences);
  EXPECT_EQ(
      error_text<DataError>([&] { paired_bootstrap(statistics, std::span(statistics).first(3)); }),
      "paired bootstrap: 5 and 3 segments (want as many of both, at least 1)");
}

TEST(Bootstrap, SettingsStandInTheSignature) {
  EXPECT_EQ(bootstrap_signature("nrefs:1|case:mixed"), "nrefs:1|bs:1000|seed:12345|case:mixed");
}

}  // namespace
}  // namespace linformer
