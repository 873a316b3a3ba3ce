// SPDX-License-Identifier: Apache-2.0
#include "storage/run_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linformer/error.h"
#include "storage/file_tree.h"
#include "support/expect_error.h"
#include "support/small_checkpoint.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::string create_error(const std::string& path, bool overwrite = false) {
  return error_text<UserError>([&] { RunDirectory::create(path, overwrite); });
}

TEST(RunDirectory, IsMadeWithItsParents) {
  const TempDirectory base;
  const RunDirectory run = RunDirectory::create(base.file("runs/a/b/"), false);
  EXPECT_EQ(run.path(), base.file("runs/a/b"));
  run.write_text("config.yaml", "seed: 1\n");
  EXPECT_EQ(slurp(run.file("config.yaml")), "seed: 1\n");
}

TEST(RunDirectory, AnExistingOneIsRefusedAndUntouched) {
  const TempDirectory base;
  base.write("metrics.jsonl", "x");
  const std::string error = create_error(base.path());
  EXPECT_NE(error.find(base.path() + ": exists already (want --resume"), std::string::npos);
  EXPECT_EQ(list_directory(base.path()), std::vector<std::string>{"metrics.jsonl"});
}

TEST(RunDirectory, PathsThatCannotBeDirectoriesAreNamed) {
  const TempDirectory base;
  const std::string file = base.write("file", "");
  EXPECT_EQ(create_error(file), file + ": exists and is no directory");
  EXPECT_EQ(create_error(file, true), file + ": exists and is no directory");
  EXPECT_NE(create_error(file + "/run").find("cannot create this directory"), std::string::npos);
  EXPECT_NE(create_error("/proc/linformer-run").find("/proc/linformer-run: cannot create"),
            std::string::npos);
  EXPECT_NE(create_error("").find("empty name"), std::string::npos);
  EXPECT_EQ(error_text<UserError>([&] { RunDirectory::open(base.file("no")); }),
            base.file("no") + ": does not exist");
  EXPECT_EQ(error_text<UserError>([&] { RunDirectory::open(file); }), file + ": is no directory");
}

TEST(RunDirectory, OverwritingDeletesOnlyWhatRunsLeave) {
  const TempDirectory base;
  const std::string path = base.file("run");
  {
    const RunDirectory run = RunDirectory::create(path, false);
    for (const char* name : {"config.yaml", "env.json", "metrics.jsonl", "thesis.tex"}) {
      run.write_text(name, "x");
    }
    make_directory(path + "/tokenizer");
    run.write_text("tokenizer/tokenizer.json", "x");
    for (const std::int64_t step : {1, 2, 3}) save_small_checkpoint(path, step, 9);
    mark_best(path, {.step = 1, .metric = "loss", .value = 1});
    run.write_text("step-2/notes.txt", "x");
    run.write_text("step-3/manifest.json", "junk");
    make_directory(path + "/step-4.tmp-abcdefgh");
    run.write_text("step-4.tmp-abcdefgh/model.safetensors", "x");
    run.write_text("best.json.tmp-01234567", "x");
    make_directory(path + "/step-by-step");
    const RunDirectory averaged = RunDirectory::create(path + "/averaged", false);
    save_small_checkpoint(averaged.path(), 3);
  }
  const RunDirectory run = RunDirectory::create(path, true);
  EXPECT_EQ(list_directory(path),
            (std::vector<std::string>{"lock", "step-2", "step-by-step", "thesis.tex"}));
  EXPECT_EQ(list_directory(path + "/step-2"), std::vector<std::string>{"notes.txt"});
}

TEST(RunDirectory, OverwritingDeletesTheLogsOfTrackersAndNothingElseBesideThem) {
  const TempDirectory base;
  const std::string path = base.file("run");
  const std::string offline = "wandb/offline-run-20260101_000000-abcd1234";
  {
    const RunDirectory run = RunDirectory::create(path, false);
    for (const std::string& part :
         {std::string("tensorboard"), std::string("wandb"), std::string("wandb/logs"), offline,
          offline + "/files", offline + "/files/checkpoint", offline + "/logs"}) {
      make_directory(path + "/" + part);
    }
    run.write_text("wandb_run_id", "abcd1234\n");
    run.write_text("tensorboard/events.out.tfevents.1700000000.host.1.0", "x");
    run.write_text("tensorboard/notes.txt", "x");
    run.write_text(offline + "/run-abcd1234.wandb", "x");
    run.write_text(offline + "/run-abcd1234.wandb.synced", "");
    run.write_text(offline + "/files/linformer.yaml", "x");
    run.write_text(offline + "/files/checkpoint/model.safetensors", "x");
    run.write_text(offline + "/logs/upload.log", "x");
    run.write_text("wandb/debug-cli.root.log", "x");
    run.write_text("wandb/logs/debug-sync.log", "x");
    replace_symlink("offline-run-20260101_000000-abcd1234", path + "/wandb/latest-run");
  }
  const RunDirectory run = RunDirectory::create(path, true);
  EXPECT_EQ(list_directory(path), (std::vector<std::string>{"lock", "tensorboard"}));
  EXPECT_EQ(list_directory(path + "/tensorboard"), std::vector<std::string>{"notes.txt"});
}

TEST(RunDirectory, OverwritingDeletesEvaluationsAndNothingElseBesideThem) {
  const TempDirectory base;
  const std::string path = base.file("run");
  { const RunDirectory run = RunDirectory::create(path, false); }
  make_directory(path + "/evaluations");
  base.write("run/evaluations/news-step-5-00000000.json", "{}");
  { const RunDirectory run = RunDirectory::create(path, true); }
  EXPECT_FALSE(path_exists(path + "/evaluations"));
  make_directory(path + "/evaluations");
  base.write("run/evaluations/mine.txt", "x");
  const RunDirectory run = RunDirectory::create(path, true);
  EXPECT_EQ(slurp(path + "/evaluations/mine.txt"), "x");
}

TEST(RunDirectory, OverwritingRefusesADirectoryThatIsNoRun) {
  const TempDirectory base;
  base.write("config.yaml", "mine");
  EXPECT_NE(create_error(base.path(), true).find("is not the directory of a run"),
            std::string::npos);
  EXPECT_EQ(slurp(base.file("config.yaml")), "mine");
  const TempDirectory empty;
  EXPECT_NO_THROW(RunDirectory::create(empty.path(), true));
}

TEST(RunDirectory, OpeningRemovesWhatACutOffSaveLeft) {
  const TempDirectory base;
  const std::string path = base.file("run");
  { RunDirectory::create(path, false); }
  make_directory(path + "/step-4.tmp-abcdefgh");
  base.write("run/step-4.tmp-abcdefgh/model.safetensors", "x");
  base.write("run/metrics.jsonl.tmp-abcdefgh", "x");
  base.write("run/other.tmp-abcdefgh", "x");
  const RunDirectory run = RunDirectory::open(path);
  EXPECT_EQ(list_directory(path), (std::vector<std::string>{"lock", "other.tmp-abcdefgh"}));
}

TEST(RunDirectory, ASecondWriterIsRefusedByPid) {
  const TempDirectory base;
  const std::string path = base.file("run");
  RunDirectory run = RunDirectory::create(path, false);
  const RunDirectory moved = std::move(run);
  const std::string want = path + ": is in use by process " + std::to_string(::getpid());
  EXPECT_EQ(error_text<UserError>([&] { RunDirectory::open(path); }), want);
  EXPECT_EQ(create_error(path, true), want);
}

TEST(RunDirectory, TheLockOfADeadProcessIsNoObstacle) {
  const TempDirectory base;
  const std::string path = base.file("run");
  const pid_t child = ::fork();
  if (child == 0) {
    RunDirectory run = RunDirectory::create(path, false);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(slurp(path + "/lock"), std::to_string(child) + "\n");
  EXPECT_NO_THROW(RunDirectory::open(path));
}

TEST(RunDirectory, LatestPointsToTheNewestRun) {
  const TempDirectory base;
  const std::string link = base.file("runs/latest");
  for (const char* name : {"a", "b"}) {
    const RunDirectory run = RunDirectory::create(base.file("runs/") + name, false);
    run.update_latest_link();
    EXPECT_EQ(std::filesystem::read_symlink(link), name);
  }
  const RunDirectory run = RunDirectory::open(link);
  EXPECT_EQ(std::filesystem::path(run.path()).filename(), "b");
  EXPECT_EQ(list_directory(base.file("runs")), (std::vector<std::string>{"a", "b", "latest"}));
}

TEST(RunDirectory, LatestIsNeverPutElsewhereOrOverAFile) {
  const TempDirectory base;
  const RunDirectory outside = RunDirectory::create(base.file("else/a"), false);
  outside.update_latest_link();
  EXPECT_FALSE(path_exists(base.file("else/latest")));
  const RunDirectory inside = RunDirectory::create(base.file("runs/a"), false);
  base.write("runs/latest", "mine");
  inside.update_latest_link();
  EXPECT_EQ(slurp(base.file("runs/latest")), "mine");
}

TEST(RunDirectory, NamesAreChecked) {
  EXPECT_NO_THROW(check_run_name("lin_k32.try-2"));
  for (const std::string name : {"", ".x", "a/b", "..", "a b", "latest"}) {
    EXPECT_THROW(check_run_name(name), UsageError) << name;
  }
  EXPECT_NE(error_text<UsageError>([] { check_run_name("a/b"); }).find("bad run name 'a/b'"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
