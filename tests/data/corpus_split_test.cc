// SPDX-License-Identifier: Apache-2.0
#include "data/corpus_split.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

TEST(CorpusSplit, CompatibilityCutsAsPythonsIntDoes) {
  const CorpusSplit split = compatibility_split(2254392);
  EXPECT_EQ(split.train, 2231848);
  EXPECT_EQ(split.validation, 22543);
  EXPECT_EQ(split.test, 1);
  EXPECT_EQ(compatibility_split(100).train, 99);
  EXPECT_EQ(compatibility_split(100).validation, 1);
}

TEST(CorpusSplit, EveryPairIsInOnePart) {
  for (std::int64_t pairs = 100; pairs < 5000; pairs += 37) {
    const CorpusSplit seed = compatibility_split(pairs);
    EXPECT_EQ(seed.train + seed.validation + seed.test, pairs);
    const CorpusSplit ours = held_out_split(pairs);
    EXPECT_EQ(ours.train + ours.validation + ours.test, pairs);
    EXPECT_EQ(ours.test, 0);
  }
  EXPECT_EQ(held_out_split(2).train, 1);
}

TEST(CorpusSplit, APartThatWouldBeEmptyIsNamed) {
  EXPECT_EQ(error_text<DataError>([] { compatibility_split(99); }),
            "validation split would be empty (got 99 pairs in all)");
  EXPECT_EQ(error_text<DataError>([] { compatibility_split(1); }),
            "training split would be empty (got 1 pair in all)");
  EXPECT_EQ(error_text<DataError>([] { held_out_split(1); }),
            "training split would be empty (got 1 pair in all)");
}

TEST(CorpusSplit, AFractionKeepsTheLeadingPairs) {
  EXPECT_EQ(leading_pairs(5, 0.5), 2);
  EXPECT_EQ(leading_pairs(4508785, 0.5), 2254392);
  EXPECT_EQ(leading_pairs(10, 1.0), 10);
  EXPECT_EQ(leading_pairs(3, 0.3333333333333333), 1);
}

TEST(CorpusSplit, AFractionOutOfRangeIsAUsageError) {
  const auto refusal = [](double fraction) {
    return error_text<UsageError>([&] { check_fraction(fraction); });
  };
  EXPECT_EQ(refusal(0), "fraction 0 (want above 0, at most 1)");
  EXPECT_EQ(refusal(-0.1), "fraction -0.1 (want above 0, at most 1)");
  EXPECT_EQ(refusal(1.5), "fraction 1.5 (want above 0, at most 1)");
  EXPECT_EQ(refusal(std::nan("")), "fraction nan (want above 0, at most 1)");
}

TEST(CorpusSplit, AFractionThatLeavesNothingSaysSo) {
  EXPECT_EQ(error_text<DataError>([] { leading_pairs(100, 0.001); }),
            "fraction 0.001 of 100 pairs leaves none");
}

}  // namespace
}  // namespace linformer
