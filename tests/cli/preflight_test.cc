// SPDX-License-Identifier: Apache-2.0
#include "cli/preflight.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/config_text.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::string complaint(const VerbOptions& options) {
  ParsedCommand command;
  command.options = options;
  return error_text<UserError>([&] { preflight(command); });
}

void expect_accepted(const VerbOptions& options) {
  ParsedCommand command;
  command.options = options;
  EXPECT_NO_THROW(preflight(command));
}

/// A directory with a configuration, a corpus and something that looks like a tokenizer.
class Preflight : public ::testing::Test {
 protected:
  Preflight() {
    directory_.write("c.yaml", seed_config());
    directory_.write("t.csv", "de,en\na,b\n");
    std::filesystem::create_directory(directory_.file("tok"));
    directory_.write("tok/tokenizer.json", "{}");
  }

  TrainOptions train() const {
    return {.config = directory_.file("c.yaml"),
            .output = directory_.file("run"),
            .train = directory_.file("t.csv"),
            .tokenizer = directory_.file("tok")};
  }

  TempDirectory directory_;
};

TEST_F(Preflight, AcceptsACompleteRequest) { expect_accepted(train()); }

TEST_F(Preflight, WantsDataAndTokenizer) {
  TrainOptions options = train();
  options.train.clear();
  EXPECT_EQ(complaint(options),
            "data.train is missing (want --train CORPUS, or data.train in the configuration)");
  options.dry_run = true;
  expect_accepted(options);
  options = train();
  options.tokenizer.clear();
  EXPECT_TRUE(complaint(options).starts_with("data.tokenizer is missing"));
  options = train();
  options.train = directory_.file("none.csv");
  EXPECT_EQ(complaint(options), options.train + ": cannot open: No such file or directory");
  options = train();
  options.tokenizer = directory_.file("none");
  EXPECT_EQ(complaint(options),
            options.tokenizer + ": no such tokenizer (`linformer tokenizer train` makes one)");
  options.tokenizer = directory_.path();
  EXPECT_EQ(complaint(options),
            options.tokenizer +
                ": holds no tokenizer (want tokenizer.json, or vocab.json and merges.txt)");
}

TEST_F(Preflight, RefusesToTrainAnEncoderAlone) {
  TrainOptions options = train();
  options.overrides = {"model.encoder_only=true"};
  EXPECT_TRUE(complaint(options).starts_with("model.encoder_only: "));
}

TEST_F(Preflight, LeavesARunThatIsThereAlone) {
  TrainOptions options = train();
  std::filesystem::create_directory(options.output);
  EXPECT_EQ(complaint(options),
            options.output + ": exists (want --resume, --overwrite or another --output)");
  options.overwrite = true;
  expect_accepted(options);
  directory_.write("run/notes.txt", "mine");
  EXPECT_EQ(complaint(options),
            options.output + ": is not the directory of a run (nothing in it was deleted)");
  directory_.write("run/lock", "");
  expect_accepted(options);
  options = train();
  options.output = directory_.file("t.csv");
  EXPECT_EQ(complaint(options), options.output + ": is not a directory (want a run directory)");
  options.output = directory_.file("t.csv/run");
  EXPECT_EQ(complaint(options),
            options.output + ": " + directory_.file("t.csv") + " is not a directory");
}

TEST_F(Preflight, WantsSomethingToResume) {
  TrainOptions options = train();
  options.resume = "auto";
  expect_accepted(options);
  std::filesystem::create_directory(options.output);
  EXPECT_EQ(complaint(options),
            "no valid checkpoint in " + options.output + " (tried step-N/: there is none)");
  directory_.write("run/lock", "");
  expect_accepted(options);
  options.output.clear();
  options.resume = directory_.file("none");
  EXPECT_EQ(complaint(options),
            "no valid checkpoint in " + *options.resume + " (there is no such directory)");
}

TEST_F(Preflight, WantsACheckpointThatIsThere) {
  EXPECT_EQ(complaint(TranslateOptions{.checkpoint = "../../etc/x"}),
            "../../etc/x: no such checkpoint (want a run directory, RUN/step-N, or a .pt or "
            ".safetensors file)");
  expect_accepted(TranslateOptions{.checkpoint = directory_.path()});
  expect_accepted(TranslateOptions{.checkpoint = "wandb:team/nmt/abcd1234"});
  EXPECT_TRUE(complaint(TranslateOptions{.checkpoint = "wandb:nmt/abcd1234"})
                  .starts_with("wandb:nmt/abcd1234: names no run"));
  TrainOptions training = train();
  training.init = "wandb:team/nmt/abcd1234";
  expect_accepted(training);
  training.init = directory_.file("none");
  EXPECT_EQ(complaint(training), training.init + ": no such checkpoint (--init)");
  EvaluateOptions options{.checkpoint = directory_.path(),
                          .corpus = {.file = directory_.file("none")}};
  EXPECT_EQ(complaint(options), options.corpus.file + ": cannot open: No such file or directory");
}

TEST_F(Preflight, WantsAConfigurationToCompare) {
  expect_accepted(CompareOptions{.config = directory_.file("c.yaml"), .lengths = {256, 512}});
  const std::string none = directory_.file("none.yaml");
  EXPECT_EQ(complaint(CompareOptions{.config = none}),
            none + ": cannot open: No such file or directory");
}

TEST_F(Preflight, ALabReplacesResultsOnlyWhenAsked) {
  LabOptions options{.output = directory_.file("lab")};
  expect_accepted(options);
  std::filesystem::create_directory(options.output);
  expect_accepted(options);
  directory_.write("lab/lab.json", "{}");
  EXPECT_EQ(complaint(options),
            options.output + "/lab.json: exists (want --overwrite or another --output)");
  options.overwrite = true;
  expect_accepted(options);
}

}  // namespace
}  // namespace linformer
