// SPDX-License-Identifier: Apache-2.0
#include "tracking/tracking_sinks.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "storage/file_tree.h"
#include "support/environment.h"
#include "support/fake_wandb.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

RunConfig config_with(bool tensorboard, WandbMode wandb) {
  RunConfig config;
  config.tracking = {.wandb = wandb, .tensorboard = tensorboard};
  return config;
}

/// What a run directory holds after a record has been passed through.
std::vector<std::string> names_after(const TempDirectory& run, const RunConfig& config) {
  Observer observer;
  set_log_sink([](LogLevel, std::string_view) {});
  add_tracking_sinks(observer, run.path(), config, {});
  observer.on_step({.step = 1});
  observer.flush();
  set_log_sink({});
  return list_directory(run.path());
}

TEST(TrackingSinks, OnlyWhatIsAskedForIsWritten) {
  using Names = std::vector<std::string>;
  const TempDirectory a;
  EXPECT_EQ(names_after(a, config_with(false, WandbMode::kOff)), Names{});
  const TempDirectory b;
  EXPECT_EQ(names_after(b, config_with(true, WandbMode::kOff)), Names{"tensorboard"});
  const TempDirectory c;
  EXPECT_EQ(names_after(c, config_with(false, WandbMode::kOffline)),
            (Names{"wandb", "wandb_run_id"}));
}

TEST(TrackingSinks, AResumedRunKeepsItsWandbId) {
  const TempDirectory run;
  names_after(run, config_with(false, WandbMode::kOffline));
  const std::string id = slurp(run.file("wandb_run_id"));
  names_after(run, config_with(false, WandbMode::kOffline));
  EXPECT_EQ(slurp(run.file("wandb_run_id")), id);
  const auto names = list_directory(run.file("wandb"));
  ASSERT_EQ(names.size(), 3U);  // two runs and the link
  EXPECT_TRUE((names[1] + "\n").ends_with("-" + id));
  EXPECT_TRUE((names[2] + "\n").ends_with("-" + id));
}

TEST(TrackingSinks, ModeDisabledWritesNothing) {
  const EnvironmentVariable mode("WANDB_MODE", "disabled");
  const TempDirectory run;
  EXPECT_TRUE(names_after(run, config_with(false, WandbMode::kOffline)).empty());
}

TEST(TrackingSinks, WhatCannotBeWrittenIsAWarning) {
  const TempDirectory run;
  run.write("tensorboard", "a file in the way");
  run.write("wandb", "another");
  std::vector<std::string> warnings;
  set_log_sink([&](LogLevel level, std::string_view text) {
    if (level == LogLevel::kWarning) warnings.emplace_back(text);
  });
  Observer observer;
  add_tracking_sinks(observer, run.path(), config_with(true, WandbMode::kOffline), {});
  observer.on_step({.step = 1});
  set_log_sink({});
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_TRUE(warnings[0].starts_with("the TensorBoard log ends here")) << warnings[0];
  EXPECT_TRUE(warnings[1].starts_with("the W&B log ends here")) << warnings[1];
}

/// Lines of the log of an online run with the `wandb` program of `bin`.
std::string log_of_online_run(const TempDirectory& run, const std::string& bin) {
  const EnvironmentVariable path("PATH", bin + ":/usr/bin:/bin");
  std::string lines;
  set_log_sink([&](LogLevel, std::string_view text) { lines += std::string(text) + "\n"; });
  {
    Observer observer;
    add_tracking_sinks(observer, run.path(), config_with(false, WandbMode::kOnline), {});
    observer.on_final({.step = 1, .reason = "finished"});
  }
  set_log_sink({});
  return lines;
}

TEST(TrackingSinks, OnlineStartsTheUploadOfTheRun) {
  const FakeWandb wandb(FakeWandb::kUploads);
  const TempDirectory run;
  const std::string lines = log_of_online_run(run, wandb.directory());
  const std::string id = slurp(run.file("wandb_run_id")).substr(0, 8);
  const std::string offline = run.file("wandb/" + list_directory(run.file("wandb")).back());
  EXPECT_TRUE(offline.ends_with("-" + id)) << offline;
  EXPECT_EQ(lines, "W&B: uploading " + offline + "\nW&B: uploaded " + offline + "\n");
  EXPECT_EQ(wandb.arguments(), "beta sync --live " + offline);
  EXPECT_EQ(wandb.wandb_dir(), run.path());
}

TEST(TrackingSinks, OnlineWithoutTheProgramIsAWarningWithTheCommand) {
  const TempDirectory run;
  const TempDirectory empty;
  const std::string lines = log_of_online_run(run, empty.path());
  const std::string offline = run.file("wandb/" + list_directory(run.file("wandb")).back());
  EXPECT_EQ(lines, "W&B: wandb: cannot start: No such file or directory; 'wandb sync " + offline +
                       "' uploads the run, training is not affected\n");
}

TEST(TrackingSinks, ModeOfflineSendsNothing) {
  const EnvironmentVariable mode("WANDB_MODE", "offline");
  const FakeWandb wandb(FakeWandb::kUploads);
  const TempDirectory run;
  EXPECT_TRUE(log_of_online_run(run, wandb.directory()).starts_with("W&B: 'wandb sync "));
  EXPECT_EQ(wandb.arguments(), "");
}

}  // namespace
}  // namespace linformer
