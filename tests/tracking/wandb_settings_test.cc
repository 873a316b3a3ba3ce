// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_settings.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/environment.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

TEST(WandbSettings, TheRunDirectoryGivesWhatTheEnvironmentDoesNot) {
  const TempDirectory run;
  const auto settings = wandb_settings(run.path());
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->directory, run.path());
  EXPECT_EQ(settings->entity, "");
  EXPECT_EQ(settings->project, "linformer");
  EXPECT_EQ(settings->name, std::filesystem::path(run.path()).filename());
  EXPECT_TRUE(settings->tags.empty());
  EXPECT_EQ(settings->run_id.size(), 8U);
  EXPECT_EQ(settings->run_id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"),
            std::string::npos);
  EXPECT_NE(settings->run_id, wandb_settings(run.path())->run_id);
}

TEST(WandbSettings, TheEnvironmentDecides) {
  const EnvironmentVariable directory("WANDB_DIR", "/elsewhere");
  const EnvironmentVariable entity("WANDB_ENTITY", "team");
  const EnvironmentVariable project("WANDB_PROJECT", "nmt");
  const EnvironmentVariable name("WANDB_NAME", "k = 32");
  const EnvironmentVariable tags("WANDB_TAGS", "wmt14,,k32");
  const EnvironmentVariable id("WANDB_RUN_ID", "My-run_1");
  const auto settings = wandb_settings("run");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->directory, "/elsewhere");
  EXPECT_EQ(settings->entity, "team");
  EXPECT_EQ(settings->project, "nmt");
  EXPECT_EQ(settings->name, "k = 32");
  EXPECT_EQ(settings->tags, (std::vector<std::string>{"wmt14", "k32"}));
  EXPECT_EQ(settings->run_id, "My-run_1");
}

TEST(WandbSettings, ASavedIdIsKeptUnlessItIsNone) {
  const TempDirectory run;
  run.write("wandb_run_id", "abcd1234\n");
  EXPECT_EQ(wandb_settings(run.path())->run_id, "abcd1234");
  run.write("wandb_run_id", "../x\n");
  EXPECT_EQ(wandb_settings(run.path())->run_id.size(), 8U);
}

TEST(WandbSettings, ModeDisabledMeansNoLog) {
  const EnvironmentVariable mode("WANDB_MODE", "disabled");
  EXPECT_FALSE(wandb_settings("run"));
}

TEST(WandbSettings, AnIdThatCannotNameAFileIsRefused) {
  for (const char* bad : {"a/b", "..", "a b", "a#b"}) {
    const EnvironmentVariable id("WANDB_RUN_ID", bad);
    EXPECT_EQ(error_text<UserError>([] { wandb_settings("run"); }),
              "WANDB_RUN_ID: bad run id '" + std::string(bad) +
                  "' (want 1 to 128 of A-Z a-z 0-9 . _ -, no '.' in front)");
  }
}

}  // namespace
}  // namespace linformer
