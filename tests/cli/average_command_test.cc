// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "cli/verbs.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "storage/run_directory.h"
#include "support/expect_error.h"
#include "support/small_checkpoint.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

class AverageCommand : public testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view text) { talk_ += text; });
    const RunDirectory run = RunDirectory::create(run_, false);
    for (const std::int64_t step : {1, 2, 6}) save_small_checkpoint(run_, step, 9);
  }
  void TearDown() override { set_log_sink({}); }

  std::string average(std::int64_t last, bool json = true) {
    CommonOptions common;
    common.json = json;
    testing::internal::CaptureStdout();
    const int code = run_average({.run = run_, .last = last, .output = output_}, common);
    EXPECT_EQ(code, 0);
    return testing::internal::GetCapturedStdout();
  }

  std::string error_of(std::int64_t last) {
    return error_text<UserError>(
        [&] { run_average({.run = run_, .last = last, .output = output_}, {}); });
  }

  TempDirectory directory_;
  std::string run_ = directory_.file("run");
  std::string output_ = directory_.file("averaged");
  std::string talk_;
};

TEST_F(AverageCommand, WritesTheMeanAsARunOfItsOwn) {
  const auto result = nlohmann::json::parse(average(3));
  EXPECT_EQ(result["steps"], (std::vector<int>{1, 2, 6}));
  EXPECT_EQ(result["checkpoint"], output_ + "/step-6");
  const Generation generation = resolve_checkpoint(output_);
  const SafetensorsFile weights = load_weights(generation);
  float value = 0;
  std::memcpy(&value, weights.at("w").bytes.data(), sizeof value);
  EXPECT_EQ(value, 3.0F);
  EXPECT_EQ(weights.metadata().at("averaged_steps"), "1, 2, 6");
  EXPECT_EQ(read_generation_file(generation, kConfigFile), "seed: 1\n");
  EXPECT_EQ(read_generation_file(generation, kTokenizerFile), "{}\n");
}

TEST_F(AverageCommand, OneCheckpointIsItself) {
  EXPECT_EQ(average(1, false), output_ + "/step-6: the mean of steps 6\n");
  EXPECT_EQ(slurp(run_ + "/step-6/config.yaml"), slurp(output_ + "/step-6/config.yaml"));
  const SafetensorsFile weights = load_weights(resolve_checkpoint(output_));
  EXPECT_EQ(weights.at("w").bytes, load_weights(resolve_checkpoint(run_)).at("w").bytes);
}

TEST_F(AverageCommand, DamagedCheckpointsAreNamedAndPassedOver) {
  std::ofstream(run_ + "/step-2/model.safetensors") << "junk";
  EXPECT_EQ(nlohmann::json::parse(average(2))["steps"], (std::vector<int>{1, 6}));
  EXPECT_NE(talk_.find("step-2/model.safetensors: size differs"), std::string::npos);
}

TEST_F(AverageCommand, TooFewCheckpointsLeaveNothingBehind) {
  EXPECT_NE(error_of(4).find(run_ + ": too few valid checkpoints (got 3, want --last 4"),
            std::string::npos);
  EXPECT_FALSE(path_exists(output_));
}

TEST_F(AverageCommand, OutputsThatExistAreRefused) {
  make_directory(output_);
  EXPECT_EQ(error_of(2), output_ + ": exists already (want a new run directory)");
  EXPECT_NE(error_of(0).find("--last"), std::string::npos);
}

TEST_F(AverageCommand, CheckpointsOfDifferentModelsAreRefused) {
  const std::vector<float> values(4, 1.0F);
  const TensorView other{
      .name = "w", .shape = {4}, .bytes = {reinterpret_cast<const char*>(values.data()), 16}};
  CheckpointTransaction save(run_, 7);
  save.add(std::string(kWeightsFile), std::span(&other, 1));
  save.add_text(std::string(kConfigFile), "");
  save.add_text(std::string(kTokenizerFile), "");
  save.commit(9);
  EXPECT_NE(error_of(2).find("tensor w cannot be averaged"), std::string::npos);
  EXPECT_FALSE(path_exists(output_));
}

}  // namespace
}  // namespace linformer
