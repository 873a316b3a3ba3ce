// SPDX-License-Identifier: Apache-2.0
// A value that is not finite ends a training in the step where it appears, and reaches no file.
#include <gtest/gtest.h>

#include <array>

#include "support/training_workplace.h"

#ifdef LINFORMER_FAULTS

namespace linformer {
namespace {

using Steps = std::vector<std::int64_t>;

/// Validation and a checkpoint after every step; all of them stay.
const std::vector<std::string> kEverything{"--quiet", "checkpoint.every_steps=1",
                                           "checkpoint.keep=1000",
                                           "training.validate_every_steps=1"};

std::string weights_of(const std::string& run, std::int64_t step) {
  return slurp(run + "/step-" + std::to_string(step) + "/model.safetensors");
}

/// The weights after each step of a run that nothing spoils.
const std::vector<std::string>& sound_weights() {
  static const std::vector<std::string> weights = [] {
    const Workplace workplace;
    EXPECT_EQ(workplace.train("", kEverything).exit_code, 0);
    std::vector<std::string> out;
    for (std::int64_t step = 0; step <= kSteps; ++step) {
      out.push_back(weights_of(workplace.run(), step));
    }
    return out;
  }();
  return weights;
}

class DivergentRun : public ::testing::TestWithParam<std::string> {};

/// LF_EVERY_STEP: at each of the 24 steps; else at one.
TEST_P(DivergentRun, EndsInThatStepAndLeavesOnlySoundCheckpoints) {
  const bool is_long = std::getenv("LF_EVERY_STEP") != nullptr;
  for (std::int64_t step = is_long ? 1 : 3; step <= (is_long ? kSteps : 3); ++step) {
    const Workplace workplace;
    const ProcessResult result =
        workplace.train(GetParam() + "@" + std::to_string(step) + ":nan", kEverything);
    EXPECT_EQ(result.exit_code, 3) << result.err;
    expect_one_error_line({.expected = {"not finite", "step " + std::to_string(step)}}, result);
    Steps want;
    for (std::int64_t before = step - 1; before > 0; --before) want.push_back(before);
    ASSERT_EQ(workplace.generations(), want);
    for (const std::int64_t before : want) {
      EXPECT_TRUE(weights_of(workplace.run(), before) ==
                  sound_weights()[static_cast<std::size_t>(before)])
          << before;
    }
    if (step > 1) EXPECT_LT(read_best(workplace.run()).value().step, step);
    EXPECT_EQ(leftovers(workplace.run()), std::vector<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Places, DivergentRun,
                         ::testing::Values("loss", "gradient", "learning rate", "validation loss",
                                           "weights"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, ' ');
                           return name;
                         });

TEST(Divergence, WeightsThatAreNotSavedShowInTheNextLoss) {
  const Workplace workplace;
  const ProcessResult result = workplace.train("weights@3:nan", {"--quiet"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  expect_one_error_line({.expected = {"the loss is not finite at step 4 ", "pairs from "}}, result);
  EXPECT_EQ(workplace.generations(), Steps());
}

}  // namespace
}  // namespace linformer

#endif
