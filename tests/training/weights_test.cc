// SPDX-License-Identifier: Apache-2.0
#include "training/weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"
#include "support/tiny_checkpoint.h"

namespace linformer {
namespace {

TinyModel model(std::uint64_t seed, const std::string& kind = "linear") {
  return TinyModel(tiny_config(kind, kByteVocabulary), at::kFloat, seed);
}

/// A file of a model's weights that a test may spoil before it is written.
class WeightsFile : public ::testing::Test {
 protected:
  std::string path() const { return directory_.file("model.safetensors"); }

  void write(const std::vector<TensorView>& views) { write_safetensors_file(path(), views); }

  /// Writes `views`, expects that loading them is refused, and returns the error.
  std::string refusal(const std::vector<TensorView>& views) {
    write(views);
    const TinyModel target = model(2);
    return error_text<CheckpointError>(
        [&] { load_weights_into(SafetensorsFile(path()), *target.store); });
  }

  void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
    EXPECT_TRUE(text.starts_with(path())) << text;
    for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << text;
  }

  TempDirectory directory_;
  TinyModel source_ = model(1);
  HostTensors weights_ = host_weights(*source_.store);
  std::vector<TensorView> views_ = weights_.views();
};

TEST_F(WeightsFile, RoundTripKeepsEveryBit) {
  write(views_);
  const TinyModel target = model(2);
  load_weights_into(SafetensorsFile(path()), *target.store);
  for (const Parameter& parameter : source_.store->parameters()) {
    EXPECT_TRUE(at::equal(parameter.master, target.store->find(parameter.name)->master))
        << parameter.name;
  }
}

TEST_F(WeightsFile, LoadingRefreshesShadows) {
  write(views_);
  const TinyModel target(tiny_config("linear", kByteVocabulary), at::kBFloat16, 2);
  load_weights_into(SafetensorsFile(path()), *target.store);
  for (const Parameter& parameter : target.store->parameters()) {
    EXPECT_TRUE(at::equal(parameter.compute.detach(), parameter.master.to(at::kBFloat16)))
        << parameter.name;
  }
}

TEST_F(WeightsFile, OrderInTheFileDoesNotMatter) {
  std::reverse(views_.begin(), views_.end());
  write(views_);
  const TinyModel target = model(2);
  load_weights_into(SafetensorsFile(path()), *target.store);
  const Parameter& last = target.store->parameters().back();
  EXPECT_TRUE(at::equal(last.master, source_.store->find(last.name)->master));
}

TEST_F(WeightsFile, MissingTensorIsNamed) {
  const std::string name = views_[3].name;
  views_.erase(views_.begin() + 3);
  expect_parts(refusal(views_), {name});
}

TEST_F(WeightsFile, ExtraTensorIsNamed) {
  views_.push_back(views_[0]);
  views_.back().name = "stowaway.weight";
  expect_parts(refusal(views_), {"stowaway.weight", "does not belong to this model"});
}

TEST_F(WeightsFile, AnotherShapeIsNamedWithBothShapes) {
  TensorView& view = views_[0];
  ASSERT_EQ(view.shape, (std::vector<std::int64_t>{kByteVocabulary, 16}));
  view.shape = {16, kByteVocabulary};
  expect_parts(refusal(views_), {view.name, "got [16, 264], want [264, 16]"});
}

TEST_F(WeightsFile, AnotherElementTypeIsNamed) {
  views_[0].dtype = DType::kInt32;
  expect_parts(refusal(views_), {views_[0].name, "want float32"});
}

TEST_F(WeightsFile, NanIsNamedByTensorAndIndex) {
  const Parameter& parameter = source_.store->parameters()[2];
  const at::NoGradGuard no_grad;
  parameter.master.view({-1})[5] = std::numeric_limits<float>::quiet_NaN();
  const HostTensors spoilt = host_weights(*source_.store);
  expect_parts(refusal(spoilt.views()), {parameter.name, "not finite at flat index 5"});
}

TEST(CopyTensor, ReadsShorterFloats) {
  const TempDirectory directory;
  const at::Tensor value = at::randn({3, 5});
  for (const auto& [type, dtype] :
       {std::pair(at::kBFloat16, DType::kBFloat16), std::pair(at::kHalf, DType::kFloat16)}) {
    const at::Tensor rounded = value.to(type);
    const TensorView view{
        .name = "w",
        .dtype = dtype,
        .shape = {3, 5},
        .bytes = {static_cast<const char*>(rounded.const_data_ptr()), rounded.nbytes()}};
    write_safetensors_file(directory.file("w.safetensors"), std::span(&view, 1));
    const at::Tensor out = at::zeros({3, 5});
    const SafetensorsFile file(directory.file("w.safetensors"));
    copy_tensor(file.at("w"), file.path(), out);
    EXPECT_TRUE(at::equal(out, rounded.to(at::kFloat)));
  }
}

TEST(HostTensors, OwnTheirValues) {
  HostTensors tensors;
  at::Tensor original = at::arange(6, at::kDouble).view({2, 3});
  tensors.add("t", original.t());
  original = at::Tensor();
  const TensorView& view = tensors.views().front();
  EXPECT_EQ(view.dtype, DType::kFloat32);
  EXPECT_EQ(view.shape, (std::vector<std::int64_t>{3, 2}));
  std::vector<float> values(6);
  std::copy(view.bytes.begin(), view.bytes.end(), reinterpret_cast<char*>(values.data()));
  EXPECT_EQ(values, (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST(HostTensors, KeepTheirMemoryForTheNextTensorsOfTheSameShapes) {
  HostTensors tensors;
  tensors.add("a", at::zeros({4, 2}));
  const char* memory = tensors.views().front().bytes.data();
  tensors.clear();
  EXPECT_TRUE(tensors.views().empty());
  tensors.add("b", at::ones({4, 2}));
  EXPECT_EQ(tensors.views().front().name, "b");
  EXPECT_EQ(tensors.views().front().bytes.data(), memory);
  EXPECT_EQ(tensors.views().front().bytes.substr(0, 4), std::string_view("\0\0\x80?", 4));
  tensors.clear();
  tensors.add("c", at::ones({3}));
  EXPECT_EQ(tensors.views().front().bytes.size(), 12U);
}

TEST(AverageInto, GivesTheMeanOfTheGenerations) {
  const TempDirectory run;
  save_tiny_checkpoint(run.path(), "linear", {.seed = 1, .step = 1});
  save_tiny_checkpoint(run.path(), "linear", {.seed = 2, .step = 2});
  const TinyModel one = model(1);
  const TinyModel two = model(2);
  const TinyModel out = model(3);
  average_into(list_generations(run.path()), *out.store);
  for (const Parameter& parameter : out.store->parameters()) {
    const at::Tensor mean = (one.store->find(parameter.name)->master.to(at::kDouble) +
                             two.store->find(parameter.name)->master.to(at::kDouble)) /
                            2;
    EXPECT_TRUE(at::equal(parameter.master, mean.to(at::kFloat))) << parameter.name;
  }
}

TEST(AverageInto, OneGenerationIsItself) {
  const TempDirectory run;
  save_tiny_checkpoint(run.path(), "segment", {.seed = 1});
  const TinyModel one = model(1, "segment");
  const TinyModel out = model(3, "segment");
  average_into(list_generations(run.path()), *out.store);
  for (const Parameter& parameter : out.store->parameters()) {
    EXPECT_TRUE(at::equal(parameter.master, one.store->find(parameter.name)->master));
  }
}

TEST(AverageInto, GenerationOfAnotherModelIsRefused) {
  const TempDirectory run;
  const std::string path = save_tiny_checkpoint(run.path(), "vanilla");
  const TinyModel out = model(3);
  const std::string text =
      error_text<CheckpointError>([&] { average_into(list_generations(run.path()), *out.store); });
  EXPECT_TRUE(text.starts_with(path)) << text;
}

}  // namespace
}  // namespace linformer
