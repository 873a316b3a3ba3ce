// SPDX-License-Identifier: Apache-2.0
#include "training/lr_schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace linformer {
namespace {

RunConfig config_of(Schedule schedule) {
  RunConfig config;
  config.model.model_dim = 512;
  config.training.schedule = schedule;
  config.training.learning_rate = 1e-3;
  config.training.lr_scheduler.warmup_steps = 100;
  config.training.lr_scheduler.min_lr = 1e-5;
  return config;
}

double rate(const RunConfig& config, std::int64_t step) {
  return learning_rate_at(config, {.step = step, .total_steps = 1100});
}

TEST(LrSchedule, WarmUpIsLinearAndReachesThePeak) {
  for (const Schedule schedule :
       {Schedule::kInverseSqrt, Schedule::kCosine, Schedule::kConstant, Schedule::kPlateau}) {
    const RunConfig config = config_of(schedule);
    EXPECT_DOUBLE_EQ(rate(config, 0), 1e-5);
    EXPECT_DOUBLE_EQ(rate(config, 49), 5e-4);
    EXPECT_DOUBLE_EQ(rate(config, 99), 1e-3);
  }
}

TEST(LrSchedule, InverseSqrtHalvesAtFourTimesTheWarmUp) {
  EXPECT_DOUBLE_EQ(rate(config_of(Schedule::kInverseSqrt), 399), 5e-4);
}

TEST(LrSchedule, CosineEndsAtTheFloorAndPassesTheMiddle) {
  const RunConfig config = config_of(Schedule::kCosine);
  EXPECT_NEAR(rate(config, 599), (1e-3 + 1e-5) / 2, 1e-12);
  EXPECT_NEAR(rate(config, 1099), 1e-5, 1e-12);
  EXPECT_NEAR(rate(config, 5000), 1e-5, 1e-12);
}

TEST(LrSchedule, NoamIsThePapersFormula) {
  RunConfig config = config_of(Schedule::kNoam);
  config.training.lr_scheduler.warmup_steps = 4000;
  EXPECT_DOUBLE_EQ(rate(config, 0), std::pow(512, -0.5) * std::pow(4000, -1.5));
  EXPECT_NEAR(rate(config, 3999), 6.987712429686843e-4, 1e-15);
  EXPECT_NEAR(rate(config, 15999), 6.987712429686843e-4 / 2, 1e-15);
}

TEST(LrSchedule, PlateauHalvesForEachReductionDownToTheFloor) {
  const RunConfig config = config_of(Schedule::kPlateau);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, {.step = 200, .plateau_reductions = 2}), 2.5e-4);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, {.step = 200, .plateau_reductions = 30}), 1e-5);
}

RunConfig original() {
  RunConfig config;
  config.model.compatibility = true;
  config.training.learning_rate = 1e-4;
  config.training.lr_scheduler = {
      .warmup_steps = 4000, .min_lr = 1e-6, .cosine_annealing = true, .cosine_tmax = 10};
  return config;
}

double original_rate(const RunConfig& config, std::int64_t step, std::int64_t epochs_done) {
  return learning_rate_at(config,
                          {.step = step, .epochs_done = epochs_done, .steps_per_epoch = 25300});
}

TEST(LrSchedule, CompatibilityWarmsUpFromAThousandthOfThePeak) {
  EXPECT_DOUBLE_EQ(original_rate(original(), 0, 0), 1e-7);
  EXPECT_DOUBLE_EQ(original_rate(original(), 2000, 0), 1e-4 * (0.001 + 0.999 * 0.5));
  EXPECT_DOUBLE_EQ(original_rate(original(), 4000, 0), 1e-4);
}

TEST(LrSchedule, CompatibilityTakesOneCosineStepAnEpoch) {
  // With 25.3k batches an epoch, epoch e >= 2 runs at t = e - 1; the tenth at 3.4e-6; beyond it the
  // rate climbs again.
  for (std::int64_t epoch = 2; epoch <= 15; ++epoch) {
    const double t = static_cast<double>(epoch - 1);
    const double want = 1e-6 + (1e-4 - 1e-6) * (1 + std::cos(M_PI * t / 10)) / 2;
    EXPECT_NEAR(original_rate(original(), 25300 * (epoch - 1), epoch - 1), want, 1e-18) << epoch;
  }
  EXPECT_NEAR(original_rate(original(), 25300 * 9, 9), 3.4227e-6, 1e-9);
}

TEST(LrSchedule, CompatibilityEpochsInsideTheWarmUpTakeNoCosineStep) {
  const RunConfig config = original();
  // 1,000 batches an epoch: the fifth validation is the first with more than 4,000 batches behind
  // it.
  const auto at = [&](std::int64_t step, std::int64_t done) {
    return learning_rate_at(config, {.step = step, .epochs_done = done, .steps_per_epoch = 1000});
  };
  EXPECT_DOUBLE_EQ(at(4000, 4), 1e-4);
  EXPECT_LT(at(5000, 5), 1e-4);
}

TEST(LrSchedule, CompatibilityWarmRestartsGrowTheirPeriod) {
  RunConfig config = original();
  config.training.lr_scheduler.warmup_steps = 0;
  config.training.lr_scheduler.cosine_restart = true;
  config.training.lr_scheduler.cosine_factor = 2.0;
  EXPECT_NEAR(original_rate(config, 25300 * 10, 10), 1e-4, 1e-18);
  EXPECT_NEAR(original_rate(config, 25300 * 20, 20), (1e-4 + 1e-6) / 2, 1e-15);
  EXPECT_NEAR(original_rate(config, 25300 * 30, 30), 1e-4, 1e-18);
}

}  // namespace
}  // namespace linformer
