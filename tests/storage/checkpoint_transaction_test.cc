// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_transaction.h"

#include <gtest/gtest.h>

#include <limits>

#include "linformer/error.h"
#include "storage/file_tree.h"
#include "support/expect_error.h"
#include "support/small_checkpoint.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::vector<std::string> names(const TempDirectory& run) { return list_directory(run.path()); }

TEST(CheckpointTransaction, CommitLeavesAVerifiedGeneration) {
  const TempDirectory run;
  const CommitResult result = save_small_checkpoint(run.path(), 5);
  EXPECT_EQ(result.generation.path, run.path() + "/step-5");
  EXPECT_EQ(result.generation.step, 5);
  EXPECT_EQ(result.warning, "");
  EXPECT_EQ(names(run), std::vector<std::string>{"step-5"});
  const Manifest manifest = verify_generation(result.generation.path);
  EXPECT_EQ(manifest.files.size(), 5U);
  std::uint64_t bytes = 0;
  for (const std::string& name : list_directory(result.generation.path)) {
    bytes += slurp(result.generation.path + "/" + name).size();
  }
  EXPECT_EQ(result.bytes, bytes);
}

TEST(CheckpointTransaction, WithoutCommitNothingIsLeft) {
  const TempDirectory run;
  {
    CheckpointTransaction save(run.path(), 1);
    save.add_text("state.json", "{}");
    EXPECT_EQ(names(run).size(), 1U);
  }
  EXPECT_TRUE(names(run).empty());
}

TEST(CheckpointTransaction, NonFiniteTensorsAreNotSaved) {
  const TempDirectory run;
  const float value = std::numeric_limits<float>::quiet_NaN();
  const TensorView view{
      .name = "w", .shape = {1}, .bytes = {reinterpret_cast<const char*>(&value), 4}};
  EXPECT_EQ(error_text<DivergenceError>([&] {
              CheckpointTransaction save(run.path(), 7);
              save.add("model.safetensors", std::span(&view, 1));
            }),
            "step 7 is not saved: model.safetensors tensor \"w\" is not finite at flat index 0");
  EXPECT_TRUE(names(run).empty());
}

TEST(CheckpointTransaction, TheNewestAreKeptAndTheBest) {
  const TempDirectory run;
  save_small_checkpoint(run.path(), 1);
  mark_best(run.path(), {.step = 1, .metric = "loss", .value = 2.5});
  for (std::int64_t step = 2; step <= 6; ++step) save_small_checkpoint(run.path(), step, 3);
  EXPECT_EQ(names(run),
            (std::vector<std::string>{"best.json", "step-1", "step-4", "step-5", "step-6"}));
}

TEST(CheckpointTransaction, DamagedGenerationsDoNotCountAsKept) {
  const TempDirectory run;
  for (std::int64_t step = 1; step <= 3; ++step) save_small_checkpoint(run.path(), step, 3);
  std::ofstream(run.file("step-3/state.json")) << "junk";
  save_small_checkpoint(run.path(), 4, 2);
  EXPECT_EQ(names(run), (std::vector<std::string>{"step-2", "step-3", "step-4"}));
}

TEST(CheckpointTransaction, BehindTwoVerifiedOnesManifestsAloneCount) {
  const TempDirectory run;
  for (std::int64_t step = 1; step <= 4; ++step) save_small_checkpoint(run.path(), step, 4);
  std::ofstream(run.file("step-3/state.json")) << "junk";
  std::filesystem::remove(run.file("step-2/manifest.json"));
  save_small_checkpoint(run.path(), 5, 3);  // 5, 4 and, by its manifest, 3
  EXPECT_EQ(names(run), (std::vector<std::string>{"step-2", "step-3", "step-4", "step-5"}));
}

TEST(CheckpointTransaction, AStepBehindNewerOnesIsNotPrunedAtOnce) {
  const TempDirectory run;
  for (const std::int64_t step : {10, 20, 5}) save_small_checkpoint(run.path(), step);
  EXPECT_EQ(list_generations(run.path()).back().step, 5);
}

TEST(CheckpointTransaction, PruningTouchesNoFileOfOthers) {
  const TempDirectory run;
  save_small_checkpoint(run.path(), 1, 1);
  run.write("step-1/notes.txt", "mine");
  const CommitResult result = save_small_checkpoint(run.path(), 2, 1);
  EXPECT_EQ(result.warning,
            run.path() + "/step-1: kept, it holds a file of someone else: notes.txt");
  EXPECT_NO_THROW(verify_generation(run.file("step-1")));
}

TEST(CheckpointTransaction, ADamagedBestFileStopsPruning) {
  const TempDirectory run;
  save_small_checkpoint(run.path(), 1, 1);
  run.write("best.json", "{}");
  const CommitResult result = save_small_checkpoint(run.path(), 2, 1);
  EXPECT_NE(result.warning.find("best.json: does not end with its own digest"), std::string::npos);
  EXPECT_TRUE(is_directory(run.file("step-1")));
}

TEST(CheckpointTransaction, TheSameStepCanBeSavedAgain) {
  const TempDirectory run;
  save_small_checkpoint(run.path(), 1);
  run.write("step-1/notes.txt", "mine");
  std::ofstream(run.file("step-1/manifest.json")) << "junk";
  EXPECT_EQ(save_small_checkpoint(run.path(), 1).warning, "");
  EXPECT_NO_THROW(verify_generation(run.file("step-1")));
  EXPECT_EQ(slurp(run.file("step-1/notes.txt")), "mine");
  EXPECT_EQ(names(run), std::vector<std::string>{"step-1"});
}

TEST(CheckpointTransaction, AMissingRunDirectoryIsAnIoError) {
  EXPECT_NE(error_text<IoError>([] {
              CheckpointTransaction("/nonexistent/run", 1);
            }).find("/nonexistent/run/step-1.tmp-"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
