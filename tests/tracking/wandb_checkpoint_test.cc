// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_checkpoint.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "support/environment.h"
#include "support/expect_error.h"
#include "support/small_checkpoint.h"
#include "support/wandb_files_service.h"

namespace linformer {
namespace {

constexpr char kArgument[] = "wandb:team/nmt/abcd1234";

class WandbCheckpointTest : public ::testing::Test {
 protected:
  WandbCheckpointTest() {
    set_log_sink([this](LogLevel, std::string_view text) { log_ += std::string(text) + "\n"; });
  }
  /// The key is in nothing that was written or said.
  ~WandbCheckpointTest() override {
    set_log_sink({});
    EXPECT_EQ(log_.find(kCanaryKey), std::string::npos);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache_.path())) {
      if (!entry.is_regular_file()) continue;
      const std::string content = slurp(entry.path().string());
      EXPECT_EQ(content.find("canary7"), std::string::npos) << entry.path();
      EXPECT_EQ(content.find(kCanaryInBase64), std::string::npos) << entry.path();
    }
  }

  void add_original() const {
    service_.add("checkpoint.pt", "weights");
    service_.add("config.yaml", "model:\n  value:\n    dim: 512\n_wandb: {value: {m: []}}\n");
  }

  WandbFilesService service_;
  TempDirectory cache_;
  const EnvironmentVariable no_proxy_{"no_proxy", "127.0.0.1"};
  const EnvironmentVariable base_{"WANDB_BASE_URL", service_.url()};
  const EnvironmentVariable key_{"WANDB_API_KEY", kCanaryKey};
  const EnvironmentVariable directory_{"XDG_CACHE_HOME", cache_.path()};
  const std::string run_ = cache_.file("linformer/wandb/team/nmt/abcd1234");
  std::string log_;
};

TEST_F(WandbCheckpointTest, PathsStayThemselves) {
  EXPECT_EQ(local_checkpoint("runs/latest"), "runs/latest");
  EXPECT_EQ(service_.requests(), "");
}

TEST_F(WandbCheckpointTest, OurCheckpointIsFetchedOnceAndLoads) {
  const TempDirectory run;
  const std::string generation = save_small_checkpoint(run.path(), 7).generation.path;
  for (const std::string_view name : kInferenceFiles) {
    service_.add("checkpoint/" + std::string(name), slurp(generation + "/" + std::string(name)));
  }
  add_original();
  const std::string path = local_checkpoint(kArgument);
  EXPECT_EQ(path, run_ + "/checkpoint");
  const Generation loaded = resolve_checkpoint(path);
  EXPECT_EQ(loaded.step, 7);
  EXPECT_EQ(load_weights(loaded).bytes(), load_weights({generation, 7}).bytes());
  EXPECT_EQ(service_.count("\"GET\""), 4);
  EXPECT_EQ(local_checkpoint(kArgument), path);
  EXPECT_EQ(service_.count("\"GET\""), 4);
}

TEST_F(WandbCheckpointTest, TheOriginalsFilesComeWithTheirConfigurationUnwrapped) {
  add_original();
  EXPECT_EQ(local_checkpoint(kArgument), run_ + "/checkpoint.pt");
  EXPECT_EQ(slurp(run_ + "/checkpoint.pt"), "weights");
  EXPECT_EQ(slurp(run_ + "/config.yaml"), "\"model\": {\"dim\": 512}\n");
  EXPECT_NE(log_.find("is " + run_ + "/config.yaml, for --config"), std::string::npos) << log_;
  local_checkpoint(kArgument);
  EXPECT_EQ(service_.count("\"GET\""), 2);
}

TEST_F(WandbCheckpointTest, WhatIsMissingIsNamedWithWhatThereIs) {
  const std::string start = std::string(kArgument) + ": the run has no ";
  EXPECT_EQ(error_text<CheckpointError>([] { local_checkpoint(kArgument); }),
            start +
                "checkpoint/model.safetensors and no checkpoint.pt among its files (it has no "
                "files)");
  for (int i = 0; i < 10; ++i) service_.add("media/" + std::to_string(i), "x");
  EXPECT_EQ(error_text<CheckpointError>([] { local_checkpoint(kArgument); }),
            start +
                "checkpoint/model.safetensors and no checkpoint.pt among its files (it has "
                "media/0, media/1, media/2, media/3, media/4, media/5, media/6, media/7 and "
                "more)");
  service_.add("checkpoint.pt", "weights");
  EXPECT_TRUE(error_text<CheckpointError>([] {
                local_checkpoint(kArgument);
              }).starts_with(start + "config.yaml among its files (it has checkpoint.pt, "));
  EXPECT_FALSE(path_exists(run_));
}

TEST_F(WandbCheckpointTest, NoKeyAndNoRunAreToldBeforeAnythingIsSent) {
  EXPECT_THROW(local_checkpoint("wandb:team/nmt"), UsageError);
  const TempDirectory home;
  const EnvironmentVariable none("WANDB_API_KEY", "");
  const EnvironmentVariable netrc("NETRC", home.file("netrc"));
  EXPECT_NE(error_text<UsageError>([] { local_checkpoint(kArgument); }).find("WANDB_API_KEY"),
            std::string::npos);
  EXPECT_EQ(service_.requests(), "");
}

TEST_F(WandbCheckpointTest, TheKeyOfTheNetrcFileServes) {
  add_original();
  const EnvironmentVariable none("WANDB_API_KEY", "");
  const TempDirectory home;
  const EnvironmentVariable netrc("NETRC",
                                  home.write("netrc", "machine 127.0.0.1 login user password " +
                                                          std::string(kCanaryKey) + "\n"));
  EXPECT_EQ(local_checkpoint(kArgument), run_ + "/checkpoint.pt");
}

TEST_F(WandbCheckpointTest, ACacheThatCannotBeMadeIsNamed) {
  add_original();
  const EnvironmentVariable directory("XDG_CACHE_HOME", "/proc/none");
  EXPECT_NE(error_text<IoError>([] {
              local_checkpoint(kArgument);
            }).find("/proc/none/linformer/wandb/team/nmt/abcd1234: cannot create: "),
            std::string::npos);
}

TEST_F(WandbCheckpointTest, TheHomeHoldsTheCacheWhereNothingElseDoes) {
  add_original();
  const TempDirectory home;
  const EnvironmentVariable none("XDG_CACHE_HOME", "relative/is/ignored");
  const EnvironmentVariable directory("HOME", home.path());
  EXPECT_EQ(local_checkpoint(kArgument),
            home.file(".cache/linformer/wandb/team/nmt/abcd1234/checkpoint.pt"));
}

}  // namespace
}  // namespace linformer
