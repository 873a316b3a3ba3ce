// SPDX-License-Identifier: Apache-2.0
#include "data/length_statistics.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

LengthSummary summarise(std::initializer_list<std::int64_t> lengths) {
  LengthStatistics statistics;
  for (const std::int64_t length : lengths) statistics.add(length);
  return statistics.summary();
}

TEST(LengthStatistics, GivesWhatNumpyGives) {
  // numpy.percentile([3, 5, 5, 8, 40, 4], [50, 90, 99])
  const LengthSummary summary = summarise({3, 5, 5, 8, 40, 4});
  EXPECT_EQ(summary.min, 3);
  EXPECT_EQ(summary.max, 40);
  EXPECT_DOUBLE_EQ(summary.mean, 65.0 / 6);
  EXPECT_DOUBLE_EQ(summary.p50, 5.0);
  EXPECT_DOUBLE_EQ(summary.p90, 24.0);
  EXPECT_DOUBLE_EQ(summary.p99, 38.4);
}

TEST(LengthStatistics, OfOneLengthAreThatLength) {
  const LengthSummary summary = summarise({7});
  EXPECT_EQ(summary.min, 7);
  EXPECT_DOUBLE_EQ(summary.p50, 7.0);
  EXPECT_DOUBLE_EQ(summary.p99, 7.0);
}

TEST(LengthStatistics, OfNothingAreZero) {
  EXPECT_EQ(LengthStatistics().count(), 0);
  EXPECT_EQ(summarise({}).max, 0);
}

}  // namespace
}  // namespace linformer
