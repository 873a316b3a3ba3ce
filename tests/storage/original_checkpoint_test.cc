// SPDX-License-Identifier: Apache-2.0
#include "storage/original_checkpoint.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/file.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"
#include "support/torch_file.h"

namespace linformer {
namespace {

const std::string kGolden = LF_SOURCE_DIR "/tests/golden/";

nlohmann::json described(const TrainedModel& model) {
  nlohmann::json out;
  for (const auto* list : {&model.weights, &model.moments}) {
    for (const TensorView& view : *list) {
      out[view.name] = {{"dtype", dtype_name(view.dtype)},
                        {"shape", view.shape},
                        {"sha256", sha256_hex(view.bytes)}};
    }
  }
  return out;
}

nlohmann::json golden() {
  return nlohmann::json::parse(read_file(kGolden + "torch_original.json", 200000));
}

TEST(OriginalCheckpoint, WeightsMomentsAndCountsAreRead) {
  TorchFile file(kGolden + "torch_original.pt");
  const TrainedModel model = read_original_checkpoint(file);
  EXPECT_EQ(described(model), golden());
  EXPECT_EQ(model.steps, 3);
  EXPECT_EQ(model.epoch, 7);
  // W^O never gets a gradient, so that Adam keeps nothing for the three of them.
  EXPECT_EQ(model.moments.size(), 2 * (model.weights.size() - 3));
}

TEST(OriginalCheckpoint, WrittenAgainItIsTheSameInTheOrderOfTheOriginal) {
  const TempDirectory directory;
  TorchFile file(kGolden + "torch_original.pt");
  TrainedModel model = read_original_checkpoint(file);
  std::vector<std::string> names;
  for (const TensorView& view : model.weights) names.push_back(view.name);
  std::ranges::sort(model.weights, {}, &TensorView::name);
  const std::string path = directory.file("x.pt");
  const std::uint64_t size = write_original_checkpoint(path, model, {});
  EXPECT_EQ(size, slurp(path).size());
  TorchFile written(path);
  const TrainedModel again = read_original_checkpoint(written);
  std::vector<std::string> order;
  for (const TensorView& view : again.weights) order.push_back(view.name);
  EXPECT_EQ(order, names);
  EXPECT_EQ(described(again), golden());
  EXPECT_EQ(again.steps, 3);
  EXPECT_EQ(again.epoch, 7);
}

TEST(OriginalCheckpoint, LayersAreOrderedByNumberAndUnknownNamesComeLast) {
  const TempDirectory directory;
  TrainedModel model;
  const std::vector<std::string> order{"model.encoder.stacked.2.mlp.2.weight",
                                       "model.encoder.stacked.10.attention.qkv_proj.weight",
                                       "model.encoder.stacked.10.norm1.weight",
                                       "model.encoder.norm.weight",
                                       "linear.weight",
                                       "x"};
  for (const std::string& name : order) {
    model.weights.insert(model.weights.begin(),
                         {.name = name, .dtype = DType::kFloat32, .shape = {0}, .bytes = {}});
  }
  write_original_checkpoint(directory.file("x.pt"), model, {});
  TorchFile written(directory.file("x.pt"));
  const TrainedModel again = read_original_checkpoint(written);
  ASSERT_EQ(again.weights.size(), order.size());
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(again.weights[i].name, order[i]);
  model.moments.push_back(
      {.name = "exp_avg.y", .dtype = DType::kFloat32, .shape = {0}, .bytes = {}});
  EXPECT_EQ(error_text<CheckpointError>(
                [&] { write_original_checkpoint(directory.file("y.pt"), model, {}); }),
            "moments of parameters that the model lacks");
}

const std::string kWeight =
    pickled_tensor(pickled_storage(6), std::string("K\x00", 2) + "K\x06\x85K\x01\x85");

std::string refusal(const std::string& value) {
  const std::string bytes = torch_bytes(pickle_of(value), std::string(24, '\0'));
  return error_text<CheckpointError>([&] {
    TorchFile file(bytes, "f");
    read_original_checkpoint(file);
  });
}

/// A checkpoint of one weight with this value as optimizer_state_dict.
std::string optimizer_refusal(const std::string& value) {
  return refusal("}(" + pickled_text("model_state_dict") + "}" + pickled_text("w") + kWeight + "s" +
                 pickled_text("optimizer_state_dict") + value + "u");
}

/// A state_dict of Adam with this state and these numbers.
std::string adam(const std::string& state, const std::string& numbers) {
  return "}(" + pickled_text("state") + state + pickled_text("param_groups") + "]}" +
         pickled_text("params") + "](" + numbers + "esau";
}

TEST(OriginalCheckpoint, AStateDictAloneIsRead) {
  const std::string bytes =
      torch_bytes(pickle_of("}" + pickled_text("w") + kWeight + "s"), std::string(24, 'x'));
  TorchFile file(bytes, "f");
  const TrainedModel model = read_original_checkpoint(file);
  ASSERT_EQ(model.weights.size(), 1U);
  EXPECT_EQ(model.weights[0].bytes, std::string(24, 'x'));
}

TEST(OriginalCheckpoint, WhatIsNoModelIsRefused) {
  EXPECT_NE(refusal("]").find("the content of the file is no dict"), std::string::npos);
  EXPECT_NE(refusal("}" + pickled_text("model_state_dict") + "Ns").find("model_state_dict is no"),
            std::string::npos);
  EXPECT_NE(refusal("}" + pickled_text("w") + "Ns").find("no named tensor"), std::string::npos);
  EXPECT_NE(refusal("}(" + pickled_text("w") + kWeight + pickled_text("w") + kWeight + "u")
                .find("tensor \"w\" occurs twice"),
            std::string::npos);
  EXPECT_NE(refusal("}" + pickled_text("__metadata__") + kWeight + "s").find("reserved name"),
            std::string::npos);
}

TEST(OriginalCheckpoint, OptimizersThatDoNotFitAreRefused) {
  const std::string zero("K\x00", 2);
  EXPECT_NE(optimizer_refusal("N").find("optimizer_state_dict is no dict"), std::string::npos);
  EXPECT_NE(optimizer_refusal("}").find("has no dict state"), std::string::npos);
  EXPECT_NE(optimizer_refusal("}" + pickled_text("state") + "}s").find("no list param_groups"),
            std::string::npos);
  EXPECT_NE(optimizer_refusal(adam("}", "")).find("parameters than the model (got 0, want 1)"),
            std::string::npos);
  EXPECT_NE(optimizer_refusal(adam("}", zero + zero)).find("params are not different integers"),
            std::string::npos);
  EXPECT_NE(optimizer_refusal(adam("}K\x05}s", zero)).find("state of an unknown parameter"),
            std::string::npos);
  EXPECT_NE(optimizer_refusal(adam("}" + zero + "}s", zero)).find("exp_avg of \"w\" is missing"),
            std::string::npos);
  const std::string moments =
      pickled_text("exp_avg") + kWeight + pickled_text("exp_avg_sq") + kWeight;
  EXPECT_NE(
      optimizer_refusal(adam("}" + zero + "}(" + moments + pickled_text("step") + "Nus", zero))
          .find("a step that is no number"),
      std::string::npos);
  EXPECT_NE(optimizer_refusal(
                adam("}" + zero + "}(" + moments + pickled_text("step") + kWeight + "us", zero))
                .find("a step out of range"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
