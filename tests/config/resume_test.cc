// SPDX-License-Identifier: Apache-2.0
#include "config/resume.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/option.h"
#include "config/yaml_reader.h"
#include "support/config_text.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

RunConfig load(const std::vector<std::string>& overrides = {}) {
  return parse_run_config(vanilla_config(), "c.yaml", overrides).config;
}

TEST(CompareForResume, FindsNoDifferenceInTheSame) {
  const ResumeComparison comparison = compare_for_resume(load(), load());
  EXPECT_TRUE(comparison.refused.empty());
  EXPECT_TRUE(comparison.allowed.empty());
}

TEST(CompareForResume, SortsChangesByWhetherTheyDecideTheRun) {
  const ResumeComparison comparison =
      compare_for_resume(load(), load({"training.epochs=20", "checkpoint.keep=9", "model.dim=128",
                                       "tracking.tensorboard=true", "seed=7"}));
  ASSERT_EQ(comparison.refused.size(), 2U);
  EXPECT_EQ(comparison.refused[0].key, "seed");
  EXPECT_EQ(comparison.refused[1].key, "model.model_dim");
  EXPECT_EQ(comparison.refused[1].old_value, "64");
  EXPECT_EQ(comparison.refused[1].new_value, "128");
  EXPECT_EQ(comparison.allowed.size(), 3U);
}

TEST(CompareForResume, SeesTheModeAndOptionsThatAreNotGiven) {
  const ResumeComparison comparison = compare_for_resume(load(), load({"compatibility=true"}));
  ASSERT_FALSE(comparison.refused.empty());
  EXPECT_EQ(comparison.refused.front().key, "compatibility");
  const ResumeComparison batch = compare_for_resume(load(), load({"training.batch_size=4"}));
  ASSERT_EQ(batch.refused.size(), 1U);
  EXPECT_EQ(batch.refused.front().old_value, "(none)");
}

TEST(RequireResumable, NamesOptionValuesAndWhatMayChange) {
  EXPECT_NO_THROW(
      require_resumable(load(), load({"training.max_steps=9", "training.log_every=1"}), "runs/x"));
  const std::string text = error_text<ConfigError>(
      [] { require_resumable(load(), load({"training.learning_rate=1"}), "runs/x"); });
  EXPECT_EQ(text,
            "runs/x: training.learning_rate differs from the run that is resumed (got 1, want "
            "0.0007; these may change: "
            "training.epochs, training.max_steps, training.average_last, "
            "training.early_stopping.patience, "
            "training.log_every, training.data_timeout_seconds, checkpoint.every_steps, "
            "checkpoint.keep, checkpoint.on_save_error, tracking.wandb, "
            "tracking.wandb_checkpoint, tracking.tensorboard)");
}

}  // namespace
}  // namespace linformer
