// SPDX-License-Identifier: Apache-2.0
#include "report/run_input.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr char kMetrics[] =
    R"({"type":"step","step":10,"loss":3.5,"tokens_per_second":900,"source_tokens":70,"target_tokens":80,"elapsed_seconds":2.5,"memory_bytes":5000000}
{"type":"validation","step":10,"loss":2.5,"bleu":12.5}
{"type":"text","step":10,"text":"a -> b"}
{"type":"step","step":20,"loss":"NaN","tokens_per_second":800,"source_tokens":150,"target_tokens":160,"elapsed_seconds":4.5,"memory_bytes":6000000}
)";
constexpr char kFinal[] =
    R"({"type":"final","step":20,"metric":"bleu","best_value":12.5,"best_step":10,"source_tokens":150,"target_tokens":160,"seconds":4.75}
)";
constexpr char kModel[] =
    "model: {type: Linformer, model_dim: 64, ffn_dim: 128, num_heads: 2, num_layers: 1, "
    "projected_length: 8}\n";

class RunInputTest : public ::testing::Test {
 protected:
  RunInput read() {
    ReportInputs inputs;
    read_run(directory_.path(), inputs);
    evaluations_ = inputs.evaluations;
    return inputs.runs.at(0);
  }

  TempDirectory directory_;
  std::vector<EvaluationInput> evaluations_;
};

TEST_F(RunInputTest, ReadsRecordsConfigurationAndEnvironment) {
  directory_.write("metrics.jsonl", std::string(kMetrics) + kFinal);
  directory_.write("env.json", R"({"version":"1.2","environment":"cpu","parameters":77})");
  directory_.write("config.yaml", kModel);
  EXPECT_TRUE(is_run_directory(directory_.path()));
  const RunInput run = read();
  EXPECT_EQ(run.name, std::filesystem::path(directory_.path()).filename());
  ASSERT_EQ(run.steps.size(), 2U);
  EXPECT_EQ(run.steps[0].loss, 3.5);
  EXPECT_TRUE(std::isnan(run.steps[1].loss));
  EXPECT_EQ(run.steps[1].memory_bytes, 6000000);
  ASSERT_EQ(run.validations.size(), 1U);
  EXPECT_EQ(run.validations[0].bleu, 12.5);
  EXPECT_EQ(run.last_step, 20);
  EXPECT_EQ(run.tokens, 310);
  EXPECT_EQ(run.seconds, 4.75);
  EXPECT_EQ(run.best_metric, "bleu");
  EXPECT_EQ(run.best_step, 10);
  EXPECT_EQ(run.parameters, 77);
  ASSERT_TRUE(run.model);
  EXPECT_EQ(run.model->projected_length, 8);
}

TEST_F(RunInputTest, WithoutAFinalRecordTheLastStepCounts) {
  // The last line has no newline yet: a training is writing it.
  directory_.write("metrics.jsonl", std::string(kMetrics) + R"({"type":"step","st)");
  const RunInput run = read();
  EXPECT_EQ(run.last_step, 20);
  EXPECT_EQ(run.seconds, 4.5);
  EXPECT_TRUE(run.best_metric.empty());
  EXPECT_FALSE(run.model);
  EXPECT_FALSE(run.parameters);
}

TEST_F(RunInputTest, AnEmptyRunIsARun) {
  directory_.write("lock", "");
  EXPECT_TRUE(is_run_directory(directory_.path()));
  const RunInput run = read();
  EXPECT_TRUE(run.steps.empty());
  EXPECT_FALSE(run.last_step);
  EXPECT_FALSE(is_run_directory(directory_.file("lock")));
  EXPECT_FALSE(is_run_directory(TempDirectory().path()));
}

TEST_F(RunInputTest, EvaluationsOfTheRunAndOfItsAverageAreFound) {
  directory_.write("lock", "");
  EvaluationRecord record;
  record.test_set = "news";
  record.bleu = 20.5;
  keep_evaluation(directory_.path(), record);
  record.bleu = 21.5;
  std::filesystem::create_directory(directory_.file("averaged"));
  keep_evaluation(directory_.file("averaged"), record);
  const RunInput run = read();
  ASSERT_EQ(evaluations_.size(), 2U);
  EXPECT_EQ(evaluations_[0].system, run.name);
  EXPECT_EQ(evaluations_[0].record.bleu, 20.5);
  EXPECT_EQ(evaluations_[1].system, run.name + ", averaged");
  EXPECT_EQ(evaluations_[1].record.bleu, 21.5);
  EXPECT_EQ(evaluations_[0].run, 0U);
  EXPECT_FALSE(evaluations_[0].is_averaged);
  EXPECT_EQ(evaluations_[1].run, 0U);
  EXPECT_TRUE(evaluations_[1].is_averaged);
}

TEST_F(RunInputTest, ARecipeIsTheConfigurationAndTheDataWithoutSeedAndNames) {
  const auto recipe_of = [&](const std::string& lines, const std::string& environment) {
    directory_.write("env.json", environment);
    directory_.write("config.yaml", kModel + lines);
    return read();
  };
  const std::string data = R"({"tokenizer_digest":"12","data_digest":"34"})";
  const RunInput run = recipe_of("seed: 7\ndata: {train: a.csv, tokenizer: t}\n", data);
  EXPECT_EQ(run.seed, 7U);
  EXPECT_EQ(recipe_of("seed: 8\ndata: {train: b.csv, tokenizer: u}\n", data).recipe, run.recipe);
  EXPECT_NE(recipe_of("training: {learning_rate: 0.5}\n", data).recipe, run.recipe);
  EXPECT_NE(recipe_of("data: {fraction: 0.5}\n", data).recipe, run.recipe);
  EXPECT_NE(recipe_of("", R"({"tokenizer_digest":"12","data_digest":"35"})").recipe, run.recipe);
  EXPECT_EQ(recipe_of("", data).recipe, run.recipe);
}

TEST_F(RunInputTest, BrokenFilesAreNamedWithTheirLine) {
  const std::string path =
      directory_.write("metrics.jsonl", std::string(kMetrics) + "{\"type\":\"step\"}\n");
  EXPECT_EQ(error_text<DataError>([&] { read(); }), path + ":5: step is missing");
  directory_.write("metrics.jsonl", "{\"type\":\n");
  EXPECT_NE(error_text<CheckpointError>([&] { read(); }).find(path + ":1@"), std::string::npos);
}

}  // namespace
}  // namespace linformer
