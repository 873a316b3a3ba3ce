// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "cli/verbs.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/original_checkpoint.h"
#include "storage/run_directory.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/small_checkpoint.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

const std::string kOriginal = LF_SOURCE_DIR "/tests/golden/torch_original.pt";

class ConvertCommand : public testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view text) { talk_ += text; });
    make_directory(tokenizer_);
    std::ofstream(tokenizer_ + "/tokenizer.json") << byte_tokenizer().to_json();
  }
  void TearDown() override { set_log_sink({}); }

  nlohmann::json convert(const ConvertOptions& options) {
    CommonOptions common;
    common.json = true;
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_convert(options, common), 0);
    return nlohmann::json::parse(testing::internal::GetCapturedStdout());
  }
  std::string refusal(const ConvertOptions& options) {
    const std::string text = error_text<UserError>([&] { run_convert(options, {}); });
    EXPECT_FALSE(path_exists(options.output)) << text;
    return text;
  }
  std::string file(const std::string& name) const { return directory_.file(name); }

  TempDirectory directory_;
  std::string tokenizer_ = directory_.file("tokenizer");
  std::string talk_;
};

void expect_same(const std::vector<TensorView>& got, const std::vector<TensorView>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (const TensorView& tensor : want) {
    const auto found = std::ranges::find(got, tensor.name, &TensorView::name);
    ASSERT_NE(found, got.end()) << tensor.name;
    EXPECT_EQ(found->shape, tensor.shape) << tensor.name;
    EXPECT_EQ(found->bytes, tensor.bytes) << tensor.name;
  }
}

TEST_F(ConvertCommand, KeepsEveryBitThroughAllKinds) {
  TorchFile original(kOriginal);
  const TrainedModel want = read_original_checkpoint(original);
  const auto made =
      convert({.input = kOriginal, .output = file("run"), .model_file = {.tokenizer = tokenizer_}});
  EXPECT_EQ(made["tensors"], want.weights.size() + want.moments.size());
  EXPECT_GT(made["bytes"], 60000);
  EXPECT_NE(talk_.find("number of heads: taken as 8"), std::string::npos) << talk_;
  const Generation generation = resolve_checkpoint(file("run"));
  EXPECT_EQ(generation.step, 3);
  verify_generation(generation.path);
  expect_same(load_weights(generation).tensors(), want.weights);

  EXPECT_EQ(convert({.input = file("run"), .output = file("x.pt")})["tensors"], made["tensors"]);
  TorchFile written(file("x.pt"));
  const TrainedModel got = read_original_checkpoint(written);
  expect_same(got.weights, want.weights);
  expect_same(got.moments, want.moments);
  EXPECT_EQ(got.steps, 3);
  EXPECT_EQ(got.epoch, 7);

  const auto weights = convert({.input = file("x.pt"), .output = file("x.safetensors")});
  EXPECT_EQ(weights["tensors"], want.weights.size());
  EXPECT_EQ(weights["bytes"], slurp(file("x.safetensors")).size());
  expect_same(SafetensorsFile(file("x.safetensors")).tensors(), want.weights);
  convert({.input = file("x.safetensors"), .output = file("y.pt")});
  TorchFile alone(file("y.pt"));
  const TrainedModel last = read_original_checkpoint(alone);
  expect_same(last.weights, want.weights);
  EXPECT_TRUE(last.moments.empty());
}

TEST_F(ConvertCommand, ConvertsAnyGeneration) {
  const RunDirectory run = RunDirectory::create(file("run"), false);
  save_small_checkpoint(run.path(), 4);
  convert({.input = file("run"), .output = file("w.safetensors")});
  const float four = 4;
  EXPECT_EQ(SafetensorsFile(file("w.safetensors")).at("w").bytes.substr(0, 4),
            std::string_view(reinterpret_cast<const char*>(&four), 4));
}

TEST_F(ConvertCommand, WhatCannotBeConvertedLeavesNothing) {
  EXPECT_EQ(refusal({.input = file("none.pt"), .output = file("o.pt")}),
            file("none.pt") + ": does not exist");
  EXPECT_NE(refusal({.input = kOriginal, .output = file("run")}).find("--tokenizer is missing"),
            std::string::npos);
  EXPECT_NE(refusal({.input = tokenizer_, .output = file("run")}).find("got two directories"),
            std::string::npos);
  EXPECT_NE(
      refusal({.input = kOriginal, .output = file("o.pt"), .model_file = {.tokenizer = tokenizer_}})
          .find("are for run directories"),
      std::string::npos);
  const std::string global = LF_SOURCE_DIR "/tests/golden/torch_global.pt";
  EXPECT_NE(refusal({.input = global, .output = file("o.pt")}).find("is not allowed"),
            std::string::npos);
}

TEST_F(ConvertCommand, ExistingFilesStay) {
  std::ofstream(file("o.pt")) << "mine";
  EXPECT_EQ(
      error_text<UserError>([&] { run_convert({.input = kOriginal, .output = file("o.pt")}, {}); }),
      file("o.pt") + ": exists already (want a new name)");
  EXPECT_EQ(slurp(file("o.pt")), "mine");
}

TEST_F(ConvertCommand, ValuesThatAreNotFiniteAreNamed) {
  const float bad[2] = {1, std::numeric_limits<float>::quiet_NaN()};
  const TensorView tensor{.name = "w",
                          .dtype = DType::kFloat32,
                          .shape = {2},
                          .bytes = {reinterpret_cast<const char*>(bad), sizeof bad}};
  write_safetensors_file(file("bad.safetensors"), std::span(&tensor, 1));
  EXPECT_EQ(refusal({.input = file("bad.safetensors"), .output = file("o.pt")}),
            file("bad.safetensors") + ": tensor \"w\" is not finite at flat index 1");
}

}  // namespace
}  // namespace linformer
