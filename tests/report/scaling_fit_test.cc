// SPDX-License-Identifier: Apache-2.0
#include "report/scaling_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/report_inputs.h"

namespace linformer {
namespace {

/// constant + factor * n^power at doubling lengths from 256 on.
CostCurve curve(double constant, double factor, double power, int count = 6) {
  CostCurve out{"x", {}};
  for (int i = 0; i < count; ++i) {
    const std::int64_t n = std::int64_t{256} << i;
    out.points.push_back({n, constant + factor * std::pow(static_cast<double>(n), power)});
  }
  return out;
}

TEST(ScalingFit, AnExactPowerIsFound) {
  for (const double power : {0.0, 1.0, 1.7, 2.0}) {
    const auto fit = fit_power(curve(0, 3e-4, power).points);
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->exponent, power, 1e-12);
    EXPECT_EQ(fit->num_points, 3);
    EXPECT_EQ(fit->first_length, 2048);
    EXPECT_EQ(fit->last_length, 8192);
  }
}

TEST(ScalingFit, TheLongerHalfDecides) {
  // A constant cost flattens the short lengths; over all points the slope would be under 1.
  const auto fit = fit_power(curve(1.0, 1e-3, 1.0).points);
  ASSERT_TRUE(fit);
  EXPECT_GT(fit->exponent, 0.75);
  EXPECT_LT(fit->exponent, 1.0);
  EXPECT_EQ(fit_power(curve(0, 1, 1, 7).points)->num_points, 4);
}

TEST(ScalingFit, TwoPointsAreTooFew) {
  EXPECT_FALSE(fit_power(curve(0, 1, 1, 2).points));
  EXPECT_TRUE(fit_power(curve(0, 1, 1, 3).points));
}

TEST(ScalingFit, CrossoverIsWhereTheLinesMeet) {
  // 1000 n = n^2 at n = 1000, on straight lines between the measured lengths.
  const Crossover crossover = find_crossover(curve(0, 1000, 1), curve(0, 1, 2));
  EXPECT_EQ(crossover.kind, Crossover::Kind::kAt);
  EXPECT_NEAR(crossover.length, 1000.0, 1e-9);
}

TEST(ScalingFit, CrossoverOutsideTheMeasuredLengthsNamesTheirEnd) {
  const Crossover always = find_crossover(curve(0, 1, 1), curve(0, 2, 1));
  EXPECT_EQ(always.kind, Crossover::Kind::kAlways);
  EXPECT_NEAR(always.length, 256.0, 1e-9);
  const Crossover never = find_crossover(curve(0, 2, 1), curve(0, 1, 1));
  EXPECT_EQ(never.kind, Crossover::Kind::kNever);
  EXPECT_NEAR(never.length, 8192.0, 1e-9);
  EXPECT_EQ(find_crossover(curve(0, 1, 1, 1), curve(0, 2, 1, 1)).kind, Crossover::Kind::kUnknown);
}

TEST(ScalingFit, OfSeveralCrossingsTheLastCounts) {
  CostCurve fast{"fast", {{1, 1.0}, {2, 3.0}, {4, 1.0}}};
  CostCurve slow{"slow", {{1, 2.0}, {2, 2.0}, {4, 2.0}}};
  const Crossover crossover = find_crossover(fast, slow);
  EXPECT_EQ(crossover.kind, Crossover::Kind::kAt);
  EXPECT_GT(crossover.length, 2.0);
  EXPECT_LT(crossover.length, 4.0);
}

TEST(ScalingFit, TimesAreOfOneSentenceAndMemoryOfTheBatch) {
  const ScalingInput input = example_scaling();
  const std::vector<CostCurve> times = time_curves(input);
  ASSERT_EQ(times.size(), 2U);
  EXPECT_EQ(times[0].attention, "vanilla unfused");
  EXPECT_EQ(cost_at(&times[0], 256), 1.0);
  EXPECT_EQ(cost_at(&times[0], 2048), 64.0);
  EXPECT_EQ(cost_at(&times[0], 4096), std::nullopt);
  EXPECT_EQ(cost_at(find_curve(memory_curves(input), "linformer k=128 unfused"), 1024), 16e6);
  EXPECT_EQ(find_curve(times, "vanilla fused"), nullptr);
  EXPECT_EQ(cost_at(nullptr, 256), std::nullopt);
}

TEST(ScalingFit, RowsWithoutATimeAreLeftOutAndLengthsSorted) {
  ScalingInput input;
  input.rows.push_back(timed_row("a", 512, 1, 5.0));
  input.rows.push_back(timed_row("a", 256, 1, 2.0));
  input.rows.push_back(timed_row("a", 512, 1, 4.0));
  input.rows.push_back({"a", 1024, 1, "refused"});
  const std::vector<CostCurve> times = time_curves(input);
  ASSERT_EQ(times.size(), 1U);
  ASSERT_EQ(times[0].points.size(), 2U);
  EXPECT_EQ(times[0].points[0].length, 256);
  EXPECT_EQ(times[0].points[1].cost, 4.0);
  EXPECT_TRUE(memory_curves(input).empty());
}

TEST(ScalingFit, KIsReadFromTheName) {
  EXPECT_EQ(projected_length_of("linformer k=128 fused"), 128);
  EXPECT_EQ(projected_length_of("vanilla fused"), 0);
}

}  // namespace
}  // namespace linformer
