// SPDX-License-Identifier: Apache-2.0
#include "cli/option_checks.h"

#include <gtest/gtest.h>

#include <string>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

std::string complaint(const VerbOptions& options, const std::string& device = "auto") {
  ParsedCommand command;
  command.options = options;
  command.common.device = device;
  return error_text<UsageError>([&] { check_options(command); });
}

void expect_accepted(const VerbOptions& options, const std::string& device = "auto") {
  ParsedCommand command;
  command.options = options;
  command.common.device = device;
  EXPECT_NO_THROW(check_options(command));
}

TEST(OptionChecks, WantOneCorpus) {
  EXPECT_EQ(complaint(StatsOptions{}), "no corpus (want CORPUS, or --source FILE --target FILE)");
  EXPECT_EQ(complaint(StatsOptions{.corpus = {.source_file = "a"}}),
            "--source needs --target FILE");
  EXPECT_EQ(complaint(StatsOptions{.corpus = {.target_file = "a"}}),
            "--target needs --source FILE");
  EXPECT_EQ(
      complaint(EvaluateOptions{.corpus = {.file = "f", .source_file = "a", .target_file = "b"}}),
      "--data CORPUS and --source name two corpora (want one)");
  expect_accepted(StatsOptions{.corpus = {.source_file = "a", .target_file = "b"}});
  expect_accepted(PretokenizeOptions{.corpus = {.file = "a"}});
}

TEST(OptionChecks, WantTheRightNumberOfFilesToScore) {
  EXPECT_EQ(complaint(ScoreOptions{.files = {"a", "b"}, .paired = true}),
            "score --paired got 2 files (want 3: A B REFERENCES, or two tables: A.csv B.csv)");
  EXPECT_TRUE(complaint(ScoreOptions{.files = {"a.csv"}, .paired = true})
                  .starts_with("score --paired got 1 files"));
  EXPECT_TRUE(complaint(ScoreOptions{.files = {"a", "b", "c"}})
                  .starts_with("score got 3 files (want HYPOTHESES REFERENCES"));
  EXPECT_TRUE(
      complaint(ScoreOptions{.files = {"a"}}).starts_with("score got one file that is no .csv"));
  expect_accepted(ScoreOptions{.files = {"a.csv"}});
  expect_accepted(ScoreOptions{.files = {"a.csv.gz"}});
  expect_accepted(ScoreOptions{.files = {"a", "b"}});
  expect_accepted(ScoreOptions{.files = {"a", "b", "c"}, .paired = true});
  expect_accepted(ScoreOptions{.files = {"a.csv", "b.csv.gz"}, .paired = true});
}

TEST(OptionChecks, KnowDevices) {
  for (const char* device : {"auto", "cpu", "cuda", "cuda:0", "cuda:12"})
    expect_accepted(DemoOptions{}, device);
  for (const char* device : {"gpu", "cuda:", "cuda:-1", "cuda:1x", "cuda:99999", "CPU", ""}) {
    EXPECT_EQ(complaint(DemoOptions{}, device),
              "--device " + std::string(device) + " (want auto, cpu, cuda or cuda:I)");
  }
}

TEST(OptionChecks, RefuseFlagsThatExcludeEachOther) {
  EXPECT_EQ(complaint(TrainOptions{.overwrite = true, .resume = "auto"}),
            "--resume and --overwrite exclude each other");
  EXPECT_EQ(complaint(TrainOptions{.resume = "auto", .init = "c"}),
            "--resume and --init exclude each other");
  EXPECT_EQ(complaint(TrainOptions{.dry_run = true, .smoke = 3}),
            "--smoke and --dry-run exclude each other");
  expect_accepted(TrainOptions{.resume = "auto"});
  ParsedCommand schema;
  schema.options = ConfigOptions{.schema = true, .markdown = true};
  EXPECT_NO_THROW(check_options(schema));
  schema.common.json = true;
  EXPECT_EQ(error_text<UsageError>([&] { check_options(schema); }),
            "--markdown and --json exclude each other");
}

}  // namespace
}  // namespace linformer
