// SPDX-License-Identifier: Apache-2.0
#include "report/seed_groups.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "support/report_inputs.h"

namespace linformer {
namespace {

TEST(SeedGroups, HoldMeanAndDeviationOfASample) {
  const std::vector<SeedGroup> groups = seed_groups(seeded_runs({20, 24, 22, 22}));
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].runs, "s1, s2, s3, s4");
  EXPECT_EQ(groups[0].test_set, "news");
  EXPECT_EQ(groups[0].signature, "nrefs:1");
  EXPECT_EQ(groups[0].num_seeds, 4);
  EXPECT_EQ(groups[0].bleu.mean, 22);
  EXPECT_DOUBLE_EQ(groups[0].bleu.deviation, std::sqrt(8.0 / 3.0));
  EXPECT_EQ(groups[0].chrf.mean, 44);
  EXPECT_EQ(groups[0].perplexity.mean, 5.5);
  EXPECT_DOUBLE_EQ(groups[0].bits_per_byte.deviation, std::sqrt(8.0 / 3.0) / 8);
  EXPECT_EQ(groups[0].first_step, 100);
  EXPECT_EQ(groups[0].last_step, 100);
}

TEST(SeedGroups, OneSeedIsNoGroup) {
  EXPECT_TRUE(seed_groups(seeded_runs({20})).empty());
  ReportInputs inputs = seeded_runs({20, 24});
  inputs.runs[1].seed = 1;
  EXPECT_TRUE(seed_groups(inputs).empty());
}

/// Whatever tells the second of two runs from the first, beside its seed.
TEST(SeedGroups, RunsThatDifferInMoreThanTheSeedAreApart) {
  const std::vector<std::function<void(ReportInputs&)>> changes{
      [](ReportInputs& in) { in.runs[1].recipe = "other"; },
      [](ReportInputs& in) { in.runs[1].seed.reset(); },
      [](ReportInputs& in) { in.evaluations[1].run.reset(); },
      [](ReportInputs& in) { in.evaluations[1].is_averaged = true; },
      [](ReportInputs& in) { in.evaluations[1].record.test_set = "talks"; },
      [](ReportInputs& in) {
        in.evaluations[1].record.data = {{"news.csv", "0f"}};
      },
      [](ReportInputs& in) { in.evaluations[1].record.signature = "nrefs:2"; },
      [](ReportInputs& in) { in.evaluations[1].record.max_new_tokens = 50; }};
  ASSERT_EQ(seed_groups(seeded_runs({20, 24})).size(), 1U);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    ReportInputs inputs = seeded_runs({20, 24});
    changes[i](inputs);
    EXPECT_TRUE(seed_groups(inputs).empty()) << i;
  }
}

TEST(SeedGroups, ARunCountsOnceWithItsLastCheckpoint) {
  ReportInputs inputs = seeded_runs({20, 24});
  EvaluationInput later = inputs.evaluations[0];
  later.record.step = 200;
  later.record.bleu = 30;
  inputs.evaluations.push_back(later);
  later.record.step = 50;
  later.record.bleu = 1;
  inputs.evaluations.push_back(later);
  const std::vector<SeedGroup> groups = seed_groups(inputs);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].num_seeds, 2);
  EXPECT_EQ(groups[0].bleu.mean, 27);
  EXPECT_EQ(groups[0].first_step, 100);
  EXPECT_EQ(groups[0].last_step, 200);
}

TEST(SeedGroups, OfRunsWithTheSameSeedTheFirstCounts) {
  ReportInputs inputs = seeded_runs({20, 24, 90});
  inputs.runs[2].seed = 2;
  inputs.evaluations[2].record.step = 200;
  const std::vector<SeedGroup> groups = seed_groups(inputs);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].runs, "s1, s2");
  EXPECT_EQ(groups[0].bleu.mean, 22);
}

TEST(SeedGroups, AveragedWeightsAreAGroupOfTheirOwn) {
  ReportInputs inputs = seeded_runs({20, 24});
  for (std::size_t i = 0; i < 2; ++i) {
    EvaluationInput averaged = inputs.evaluations[i];
    averaged.is_averaged = true;
    averaged.record.bleu += 2;
    inputs.evaluations.push_back(averaged);
  }
  const std::vector<SeedGroup> groups = seed_groups(inputs);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[1].runs, "s1, s2, averaged");
  EXPECT_EQ(groups[1].bleu.mean, 24);
}

TEST(SeedGroups, AScoreThatIsUnknownOnceHasNoMean) {
  ReportInputs inputs = seeded_runs({20, 24});
  inputs.evaluations[1].record.perplexity = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(std::isfinite(seed_groups(inputs)[0].perplexity.mean));
  EXPECT_EQ(seed_groups(inputs)[0].bleu.mean, 22);
}

}  // namespace
}  // namespace linformer
