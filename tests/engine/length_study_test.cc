// SPDX-License-Identifier: Apache-2.0
#include "engine/length_study.h"

#include <gtest/gtest.h>

#include <thread>

#include "ops/torch.h"

namespace linformer {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Two rows a length, which claim to have taken `row_ms` at length 10 and four times that at each
/// doubling.
class FakeStudy final : public LengthStudy {
 public:
  explicit FakeStudy(double row_ms) : row_ms_(row_ms) {}

  std::vector<CompareRow> plan(std::int64_t length) const override {
    std::vector<CompareRow> rows(2);
    for (CompareRow& row : rows) {
      row.length = length;
      row.batch = 1;
    }
    rows[1].status = CompareStatus::kRefused;
    return rows;
  }
  std::vector<CompareRow> measure(std::int64_t length, const TimeBudget& budget) override {
    budgets.push_back(budget);
    std::vector<CompareRow> rows = plan(length);
    const auto n = static_cast<double>(length) / 10.0;
    rows[0].times_ms.assign(static_cast<std::size_t>(budget.least), row_ms_ * n * n);
    return rows;
  }

  std::vector<TimeBudget> budgets;

 private:
  double row_ms_;
};

TEST(MeasureUntil, MeasuresAllWhereTheTimeHoldsThem) {
  FakeStudy study(1.0);
  const auto rows =
      measure_until(study, {10, 20, 40}, {.most = 7}, steady_clock::now() + std::chrono::hours(1));
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[4].status, CompareStatus::kOk);
  EXPECT_EQ(rows[5].status, CompareStatus::kRefused);
  ASSERT_EQ(study.budgets.size(), 3u);
  EXPECT_EQ(study.budgets[0].most, 7);
  EXPECT_NEAR(study.budgets[0].seconds, 1200, 10);
  EXPECT_NEAR(study.budgets[2].seconds, 3600, 10);
}

TEST(MeasureUntil, SkipsALengthThatWouldNotBeDoneAndAllLongerOnes) {
  FakeStudy study(1000.0);  // 4 s a run of length 20: with 6 runs more than there is
  const auto rows =
      measure_until(study, {10, 20, 40}, {}, steady_clock::now() + std::chrono::seconds(20));
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[0].status, CompareStatus::kOk);
  EXPECT_EQ(rows[2].status, CompareStatus::kSkipped);
  EXPECT_EQ(rows[3].status, CompareStatus::kRefused);
  EXPECT_EQ(rows[4].status, CompareStatus::kSkipped);
  EXPECT_EQ(study.budgets.size(), 1u);
}

TEST(MeasureUntil, MeasuresNothingWhenTheTimeIsUp) {
  FakeStudy study(1.0);
  const auto rows = measure_until(study, {10, 20}, {}, steady_clock::now());
  EXPECT_EQ(rows[0].status, CompareStatus::kSkipped);
  EXPECT_TRUE(study.budgets.empty());
}

TEST(TimeInTurn, TimesEachAtLeastAndAtMostSoOften) {
  std::vector<CompareRow> rows(2);
  std::string order;
  const auto works = [&] {
    return std::vector<TimedWork>{{&rows[0], [&] { order += 'a'; }},
                                  {&rows[1], [&] {
                                     order += 'b';
                                     std::this_thread::sleep_for(milliseconds(2));
                                   }}};
  };
  time_in_turn(works(), at::kCPU, {.least = 3, .most = 5, .seconds = 0});
  EXPECT_EQ(order, "abbaab");
  EXPECT_EQ(rows[0].times_ms.size(), 3u);
  EXPECT_GE(rows[1].times_ms[0], 2.0);
  time_in_turn(works(), at::kCPU, {.least = 3, .most = 5, .seconds = 100});
  EXPECT_EQ(rows[0].times_ms.size(), 8u);
}

TEST(TimeInTurn, StopsAfterOneRunWhenTheTimeIsUp) {
  CompareRow row;
  TimeBudget budget{.least = 3, .most = 5, .seconds = 100};
  budget.end = steady_clock::now();
  time_in_turn({{&row, [] {}}}, at::kCPU, budget);
  EXPECT_EQ(row.times_ms.size(), 1u);
}

TEST(FitsMemory, LeavesATenthOfWhatIsAvailable) {
  EXPECT_TRUE(fits_memory(1.0, at::kCPU));
  EXPECT_FALSE(fits_memory(1e18, at::kCPU));
}

}  // namespace
}  // namespace linformer
