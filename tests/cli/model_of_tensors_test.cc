// SPDX-License-Identifier: Apache-2.0
#include "cli/model_of_tensors.h"

#include <gtest/gtest.h>

#include <fstream>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

TensorView tensor(const std::string& name, std::vector<std::int64_t> shape) {
  return {.name = name, .dtype = DType::kFloat32, .shape = std::move(shape), .bytes = {}};
}

/// What tells the sizes of a model of the original with two layers.
std::vector<TensorView> tensors(bool is_linformer) {
  std::vector<TensorView> out{tensor("model.embedding.weight", {1000, 64}),
                              tensor("linear.weight", {1000, 64}),
                              tensor("model.encoder.stacked.0.mlp.0.weight", {128, 64}),
                              tensor("model.encoder.stacked.1.mlp.0.weight", {128, 64}),
                              tensor("model.decoder.stacked.0.mlp.0.weight", {128, 64})};
  if (is_linformer) out.push_back(tensor("model.encoder.stacked.0.attention.E.weight", {4, 96}));
  return out;
}

std::string refusal(const std::vector<TensorView>& list, const std::string& config = "") {
  return error_text<CheckpointError>([&] { model_of_tensors(list, "x.pt", config); });
}

TEST(ModelOfTensors, ShapesTellTheOriginalsSizes) {
  const RunConfig linformer = model_of_tensors(tensors(true), "x.pt", "");
  EXPECT_TRUE(linformer.model.compatibility);
  EXPECT_TRUE(linformer.model.is_linformer());
  EXPECT_EQ(linformer.model.vocab_size, 1000);
  EXPECT_EQ(linformer.model.model_dim, 64);
  EXPECT_EQ(linformer.model.ffn_dim, 128);
  EXPECT_EQ(linformer.model.num_layers, 2);
  EXPECT_EQ(linformer.model.num_heads, 8);
  EXPECT_EQ(linformer.model.projected_length, 4);
  EXPECT_EQ(linformer.model.max_length, 96);
  EXPECT_FALSE(linformer.model.encoder_only);
  std::vector<TensorView> encoder = tensors(false);
  encoder.pop_back();
  const RunConfig vanilla = model_of_tensors(encoder, "x.pt", "");
  EXPECT_FALSE(vanilla.model.is_linformer());
  EXPECT_TRUE(vanilla.model.encoder_only);
  EXPECT_EQ(vanilla.model.max_length, 256);
}

TEST(ModelOfTensors, AConfigurationSaysHeadsAndMustHaveTheSizes) {
  const TempDirectory directory;
  const std::string path = directory.file("c.yaml");
  const std::string head =
      "model:\n  type: Linformer\n  dim: 64\n  mlp_dim: 128\n  n_heads: 2\n  n_layers: 2\n";
  std::ofstream(path) << head << "  k: 4\ndataset:\n  max_length: 96\n";
  const RunConfig config = model_of_tensors(tensors(true), "x.pt", path);
  EXPECT_EQ(config.model.num_heads, 2);
  EXPECT_EQ(config.model.vocab_size, 1000);
  std::ofstream(path) << head << "  k: 5\ndataset:\n  max_length: 96\n";
  EXPECT_EQ(refusal(tensors(true), path),
            "x.pt: its model is not that of " + path + " (model.projected_length: got 4, want 5)");
}

TEST(ModelOfTensors, WhatIsNoModelOfTheOriginalIsRefused) {
  EXPECT_EQ(refusal({}),
            "x.pt: holds no matrix model.embedding.weight (want the parameters of a "
            "translation model)");
  std::vector<TensorView> tied = tensors(true);
  tied.erase(tied.begin() + 1);
  EXPECT_NE(refusal(tied).find("is no model of the original (want --config FILE"),
            std::string::npos);
  std::vector<TensorView> flat = tensors(true);
  flat[0].shape = {64};
  EXPECT_NE(refusal(flat).find("holds no matrix model.embedding.weight"), std::string::npos);
}

}  // namespace
}  // namespace linformer
