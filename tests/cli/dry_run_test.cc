// SPDX-License-Identifier: Apache-2.0
#include "cli/dry_run.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/config_text.h"
#include "support/npz.h"
#include "support/run_process.h"
#include "support/temp_directory.h"
#include "text/bpe_trainer.h"

namespace linformer {
namespace {

constexpr char kProgram[] = LF_BINARY_DIR "/linformer";

ProcessResult dry_run(std::vector<std::string> arguments, const std::string& directory) {
  arguments.insert(arguments.begin(), {kProgram, "train", "--dry-run", "--config"});
  return run_process({.arguments = arguments, .directory = directory});
}

std::string make_corpus(int pairs) {
  std::string out = "de,en\n";
  for (int i = 0; i < pairs; ++i) out += "ein Haus,a house\n";
  return out;
}

TEST(DryRun, AnswersForTheOriginalsConfigurations) {
  const TempDirectory directory;
  for (const char* name :
       {"lin_k32_training", "lin_k64_training", "vanilla_training", "perf_lin_k32", "perf_lin_k64",
        "perf_lin_k128", "perf_lin_k32_encoder_only", "perf_lin_k64_encoder_only",
        "perf_lin_k128_encoder_only", "perf_vanilla", "perf_vanilla_encoder_only"}) {
    const auto start = std::chrono::steady_clock::now();
    const ProcessResult result =
        dry_run({std::string(LF_SOURCE_DIR) + "/configs/" + name + ".yaml"}, directory.path());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("mode              compatibility"), std::string::npos);
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(DryRun, CountsTheOriginalsParameters) {
  const TempDirectory directory;
  const auto parameters = [&](const char* name) {
    const ProcessResult result = dry_run(
        {std::string(LF_SOURCE_DIR) + "/configs/" + name + ".yaml", "--json"}, directory.path());
    return nlohmann::json::parse(result.out)["parameters"].get<std::int64_t>();
  };
  EXPECT_EQ(parameters("vanilla_training"), 95599712);
  EXPECT_EQ(parameters("lin_k32_training"), 95796320);
  EXPECT_EQ(parameters("lin_k64_training"), 95992928);
  EXPECT_EQ(parameters("perf_vanilla_encoder_only"), 70415456);
}

TEST(DryRun, CountsThePairsOfAnNpzCorpus) {
  const TempDirectory directory;
  directory.write("c.yaml", seed_config("", "training:\n  batch_size: 10\n  epochs: 3\n"));
  const Rows rows(201, {0, 5, 2, 1, 1, 1, 1, 1});
  directory.write("t.npz", zip_bytes(npz_entries(rows, rows)));
  const ProcessResult result = dry_run(
      {"c.yaml", "--train", "t.npz", "--validation", "t.npz", "--json", "data.max_length=8"},
      directory.path());
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["pairs"], 201);
}

TEST(DryRun, CountsPairsAndSteps) {
  const TempDirectory directory;
  directory.write("c.yaml", seed_config("", "training:\n  batch_size: 10\n  epochs: 3\n"));
  directory.write("t.csv", make_corpus(201));
  const ProcessResult result =
      dry_run({"c.yaml", "--train", "t.csv", "--validation", "t.csv", "--json"}, directory.path());
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["pairs"], 201);
  EXPECT_EQ(json["steps"], 63);
  const ProcessResult half = dry_run(
      {"c.yaml", "--train", "t.csv", "--validation", "t.csv", "--json", "data.fraction=0.5"},
      directory.path());
  EXPECT_EQ(nlohmann::json::parse(half.out)["pairs"], 100);
}

TEST(DryRun, SaysHowLongAndWhatIsHeldOut) {
  const TempDirectory directory;
  directory.write("c.yaml", seed_config("", "training:\n  batch_size: 10\n"));
  directory.write("t.csv", make_corpus(201));
  const auto has = [&](const std::vector<std::string>& overrides, const std::string& line) {
    std::vector<std::string> arguments{"c.yaml", "--train", "t.csv"};
    arguments.insert(arguments.end(), overrides.begin(), overrides.end());
    const ProcessResult result = dry_run(arguments, directory.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out.find(line) != std::string::npos;
  };
  EXPECT_FALSE(has({}, "time limit"));
  EXPECT_TRUE(has({}, "validation data   the end of the training corpus\n"));
  EXPECT_TRUE(has({"training.max_minutes=1.5"}, "time limit        1.5 minutes\n"));
  EXPECT_TRUE(has({"data.split=random"}, "validation data   drawn from the training corpus\n"));
}

TEST(DryRun, SaysWhichAttentionIsShortened) {
  const TempDirectory directory;
  directory.write("c.yaml", seed_config("", "compatibility: false\n"));
  const auto model_of = [&](const std::vector<std::string>& overrides) {
    std::vector<std::string> arguments{"c.yaml"};
    arguments.insert(arguments.end(), overrides.begin(), overrides.end());
    const ProcessResult result = dry_run(arguments, directory.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out.substr(0, result.out.find(" layers"));
  };
  EXPECT_EQ(model_of({}).find("cross-attention"), std::string::npos);
  EXPECT_NE(model_of({"model.cross_attention=full"}).find("(linear), full cross-attention"),
            std::string::npos);
}

TEST(DryRun, TakesTheVocabularyOfTheTokenizer) {
  const TempDirectory directory;
  directory.write("c.yaml", vanilla_config());
  directory.write("words.txt", "a house and a mouse\n");
  const ProcessResult made = run_process({.arguments = {kProgram, "tokenizer", "train", "words.txt",
                                                        "--vocab-size", "265", "--output", "tok"},
                                          .directory = directory.path()});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const ProcessResult result =
      dry_run({"c.yaml", "--tokenizer", "tok", "--json"}, directory.path());
  EXPECT_EQ(nlohmann::json::parse(result.out)["vocab_size"], 272);
}

TEST(DryRun, RefusesABatchLargerThanTheCorpus) {
  const TempDirectory directory;
  directory.write("c.yaml", seed_config());
  directory.write("t.csv", make_corpus(50));
  const ProcessResult result =
      dry_run({"c.yaml", "--train", "t.csv", "--validation", "t.csv", "--quiet"}, directory.path());
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(
      result.err,
      "linformer: error: training.batch_size (88) is larger than the training corpus (50 pairs)\n");
}

}  // namespace
}  // namespace linformer
