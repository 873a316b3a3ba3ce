// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_sink.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <memory>
#include <vector>

#include "base/log.h"
#include "config/printer.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "support/expect_error.h"
#include "support/proto_fields.h"
#include "support/small_checkpoint.h"
#include "support/temp_directory.h"
#include "support/wandb_records.h"

namespace linformer {
namespace {

constexpr std::uint64_t kHistory = 2;
constexpr std::uint64_t kSummary = 3;
constexpr std::uint64_t kStats = 7;

using Items = std::map<std::string, std::string>;

/// value_json by key of a record's content.
Items items_of(const ProtoFields& content, std::uint64_t field) {
  Items out;
  for (std::size_t i = 0; i < content.count(field); ++i) {
    const ProtoFields item = content.message(field, i);
    out[item.text(1)] = item.text(16);
  }
  return out;
}

class WandbSinkTest : public ::testing::Test {
 protected:
  std::unique_ptr<WandbSink> open(const TrackingStart& start = {}) {
    auto sink = std::make_unique<WandbSink>(settings_, config_, start, [this] { return now_; });
    path_ = sink->path();
    return sink;
  }

  std::vector<ProtoFields> records() const {
    std::vector<ProtoFields> out;
    for (const std::string& record : wandb_records(slurp(path_ + "/run-abcd1234.wandb"))) {
      out.emplace_back(record);
      EXPECT_EQ(out.back().integer(1), static_cast<std::int64_t>(out.size()));
    }
    return out;
  }
  /// Contents of the records of one type.
  std::vector<ProtoFields> contents(std::uint64_t type) const {
    std::vector<ProtoFields> out;
    for (const ProtoFields& record : records()) {
      if (record.has(type)) out.push_back(record.message(type));
    }
    return out;
  }
  std::vector<std::uint64_t> types() const {
    std::vector<std::uint64_t> out;
    for (const ProtoFields& record : records()) out.push_back(record.all().back().number);
    return out;
  }

  TempDirectory directory_;
  WandbSettings settings_{.directory = directory_.path(),
                          .entity = "team",
                          .project = "nmt",
                          .name = "k32",
                          .tags = {"a", "b"},
                          .run_id = "abcd1234"};
  RunConfig config_;
  double now_ = 1700000000.5;
  std::string path_;
};

TEST_F(WandbSinkTest, TheDirectoryIsThatOfAnOfflineRun) {
  const auto sink = open();
  EXPECT_EQ(path_, directory_.file("wandb/offline-run-20231114_221320-abcd1234"));
  EXPECT_EQ(list_directory(path_),
            (std::vector<std::string>{"files", "logs", "run-abcd1234.wandb"}));
  EXPECT_EQ(slurp(path_ + "/files/linformer.yaml"), print_config(config_));
  const std::string link = directory_.file("wandb/latest-run");
  EXPECT_EQ(std::filesystem::read_symlink(link), "offline-run-20231114_221320-abcd1234");
}

TEST_F(WandbSinkTest, TwoInOneSecondHaveTwoDirectories) {
  const auto first = open();
  const auto second = open();
  EXPECT_EQ(path_, directory_.file("wandb/offline-run-20231114_221321-abcd1234"));
}

TEST_F(WandbSinkTest, RecordsComeInTheOrderThatReadersWant) {
  auto sink = open();
  sink->on_step({.step = 100});
  sink->on_final({.step = 100, .reason = "finished"});
  sink->flush();
  sink.reset();
  EXPECT_EQ(types(), (std::vector<std::uint64_t>{21, 17, 5, 6, 2, 3, 7, 18, 22}));
}

TEST_F(WandbSinkTest, TheRunIsDescribed) {
  const auto sink = open({.step = 250, .elapsed_seconds = 60});
  const ProtoFields run = contents(17).at(0);
  EXPECT_EQ(run.text(1), "abcd1234");
  EXPECT_EQ(run.text(2), "team");
  EXPECT_EQ(run.text(3), "nmt");
  EXPECT_EQ(run.text(8), "k32");
  EXPECT_EQ(run.text(10, 0) + run.text(10, 1), "ab");
  EXPECT_EQ(run.integer(14), 251);
  EXPECT_EQ(run.message(17).integer(1), 1700000000);
  EXPECT_EQ(run.message(17).integer(2), 500000000);
  EXPECT_EQ(items_of(contents(5).at(0), 1).at("seed"), "42");
  EXPECT_EQ(contents(6).at(0).message(1).text(1), "linformer.yaml");
}

TEST_F(WandbSinkTest, AStepHasOneRowWithAllThatHappenedThere) {
  auto sink = open({.step = 0, .elapsed_seconds = 60});
  now_ += 2;
  sink->on_step({.step = 100, .loss = 0.1});
  now_ += 5;
  sink->on_validation({.step = 100, .loss = 3, .bleu = 18.68});
  sink->on_text(100, "a \"house\"");
  sink->on_step({.step = 200, .loss = 1e-7});
  sink->flush();
  const auto rows = contents(kHistory);
  ASSERT_EQ(rows.size(), 2U);
  const Items row = items_of(rows[0], 1);
  EXPECT_EQ(row.at("_step"), "100");
  EXPECT_EQ(row.at("_runtime"), "62.0");
  EXPECT_EQ(row.at("_timestamp"), "1700000002.5");
  EXPECT_EQ(row.at("train/loss"), "0.1");
  EXPECT_EQ(row.at("validation/bleu"), "18.68");
  EXPECT_EQ(row.at("validation/sample"), "\"a \\\"house\\\"\"");
  EXPECT_FALSE(row.contains("validation/chrf"));
  EXPECT_EQ(rows[0].message(2).integer(1), 100);
  EXPECT_EQ(items_of(rows[1], 1).at("train/loss"), "1e-07");
}

TEST_F(WandbSinkTest, TheSummaryHasTheNewestValues) {
  auto sink = open();
  sink->on_step({.step = 100, .loss = 3});
  sink->on_validation({.step = 100, .bleu = 18.5});
  sink->on_step({.step = 200, .loss = 2});
  sink->flush();
  sink->flush();
  ASSERT_EQ(contents(kSummary).size(), 1U);
  sink->on_final(
      {.step = 200, .reason = "finished", .metric = "bleu", .best_value = 18.5, .best_step = 100});
  const Items summary = items_of(contents(kSummary).at(1), 1);
  EXPECT_EQ(summary.at("train/loss"), "2.0");
  EXPECT_EQ(summary.at("validation/bleu"), "18.5");
  EXPECT_EQ(summary.at("_step"), "200");
  EXPECT_EQ(summary.at("best/bleu"), "18.5");
  EXPECT_EQ(summary.at("best/step"), "100");
  EXPECT_EQ(summary.at("reason"), "\"finished\"");
}

TEST_F(WandbSinkTest, ScoresAreARowAndBesideWhatWasThereInTheSummary) {
  open({.step = 24})
      ->finish_with_scores(25, {{"train/loss", "1.5"}, {"test/new/bleu", "1.0"}},
                           {{"test/new/bleu", 12.5}, {"test/new/perplexity", 8.0}});
  const Items row = items_of(contents(kHistory).at(0), 1);
  EXPECT_EQ(row.at("_step"), "25");
  EXPECT_EQ(row.at("test/new/bleu"), "12.5");
  const Items summary = items_of(contents(kSummary).at(0), 1);
  EXPECT_EQ(summary.at("train/loss"), "1.5");
  EXPECT_EQ(summary.at("test/new/bleu"), "12.5");
  EXPECT_EQ(summary.at("test/new/perplexity"), "8.0");
  EXPECT_EQ(contents(18).at(0).integer(1), 0);
}

TEST_F(WandbSinkTest, NonFiniteNumbersAreTheLiteralsOfWandb) {
  auto sink = open();
  sink->on_step({.step = 1,
                 .loss = std::numeric_limits<double>::quiet_NaN(),
                 .gradient_norm = -std::numeric_limits<double>::infinity()});
  sink->flush();
  const Items row = items_of(contents(kHistory).at(0), 1);
  EXPECT_EQ(row.at("train/loss"), "NaN");
  EXPECT_EQ(row.at("train/gradient_norm"), "-Infinity");
}

TEST_F(WandbSinkTest, UsageIsRecordedEveryFifteenSeconds) {
  auto sink = open();
  for (int second = 1; second <= 31; ++second) {
    now_ += 1;
    sink->on_progress({.step = second});
  }
  const auto stats = contents(kStats);
  ASSERT_EQ(stats.size(), 2U);
  EXPECT_EQ(stats[0].message(2).integer(1), 1700000015);
  const Items usage = items_of(stats[0], 3);
  EXPECT_GE(std::stod(usage.at("cpu")), 0);
  EXPECT_GT(std::stod(usage.at("proc.memory.rssMB")), 1);
}

TEST_F(WandbSinkTest, AFinishedRunExitsWithZeroAndACutOffOneWithOne) {
  for (const bool is_finished : {true, false}) {
    auto sink = open({.step = 0, .elapsed_seconds = 60});
    now_ += 10;
    sink->on_step({.step = 5});
    if (is_finished) sink->on_final({.step = 5, .reason = "finished"});
    sink.reset();
    ASSERT_EQ(contents(18).size(), 1U);
    EXPECT_EQ(contents(18)[0].integer(1), is_finished ? 0 : 1);
    EXPECT_EQ(contents(18)[0].integer(2), 70);
    EXPECT_EQ(contents(kHistory).size(), 1U);
    EXPECT_EQ(types().back(), 22U);
  }
}

TEST_F(WandbSinkTest, TheBestCheckpointIsAmongItsFilesInTheEnd) {
  const TempDirectory run;
  save_small_checkpoint(run.path(), 7);
  mark_best(run.path(), {.step = 7, .metric = "loss", .value = 1});
  save_small_checkpoint(run.path(), 8);
  settings_.run_directory = run.path();
  config_.tracking.wandb_checkpoint = WandbCheckpoint::kBest;
  auto sink = open();
  EXPECT_EQ(list_directory(path_ + "/files"), std::vector<std::string>{"linformer.yaml"});
  sink->on_final({.step = 8, .reason = "finished"});
  sink.reset();
  const std::string checkpoint = path_ + "/files/checkpoint";
  EXPECT_EQ(resolve_checkpoint(checkpoint).step, 7);
  EXPECT_EQ(list_directory(checkpoint),
            (std::vector<std::string>{"config.yaml", "manifest.json", "model.safetensors",
                                      "tokenizer.json"}));
  EXPECT_EQ(std::filesystem::hard_link_count(checkpoint + "/model.safetensors"), 2U);
  const ProtoFields files = contents(6).at(1);
  ASSERT_EQ(files.count(1), 4U);
  EXPECT_EQ(files.message(1, 1).text(1), "checkpoint/model.safetensors");
  EXPECT_EQ(files.message(1, 1).integer(2), 1);  // uploaded at the end
}

TEST_F(WandbSinkTest, ARunWithoutACheckpointIsAWarning) {
  const TempDirectory run;
  settings_.run_directory = run.path();
  config_.tracking.wandb_checkpoint = WandbCheckpoint::kBest;
  std::string warning;
  set_log_sink([&](LogLevel, std::string_view text) { warning += text; });
  auto sink = open();
  sink->on_final({.step = 8, .reason = "finished"});
  sink.reset();
  set_log_sink({});
  EXPECT_TRUE(warning.starts_with("W&B: the run's files have no checkpoint: no valid checkpoint"))
      << warning;
  EXPECT_EQ(contents(18).at(0).integer(1), 0);
}

TEST_F(WandbSinkTest, ADirectoryThatCannotBeMadeIsNamed) {
  settings_.directory = "/proc/none";
  EXPECT_NE(error_text<IoError>([&] { open(); }).find("/proc/none/wandb: cannot create"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
