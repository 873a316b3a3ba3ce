// SPDX-License-Identifier: Apache-2.0
#include "engine/loaded_model.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/log.h"
#include "linformer/error.h"
#include "storage/original_checkpoint.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"
#include "support/tiny_checkpoint.h"

namespace linformer {
namespace {

CommonOptions on_cpu() {
  CommonOptions common;
  common.device = "cpu";
  common.dtype = "float32";
  return common;
}

/// A checkpoint whose weights `spoil` has changed; its manifest is right, so that only loading can
/// see it.
std::string save_spoiled(const std::string& run, const RunConfig& config,
                         const std::function<void(std::vector<TensorView>&)>& spoil) {
  const TinyModel tiny(tiny_config("linear", kByteVocabulary), at::kFloat);
  const HostTensors weights = host_weights(*tiny.store);
  std::vector<TensorView> views = weights.views();
  spoil(views);
  std::string bytes;
  write_safetensors([&](std::string_view part) { bytes += part; }, views);
  std::filesystem::create_directories(run);
  CheckpointTransaction save(run, 1);
  save.add_text(std::string(kWeightsFile), bytes);
  save.add_text(std::string(kConfigFile), print_config(config));
  save.add_text(std::string(kTokenizerFile), byte_tokenizer().to_json());
  save.add_text(std::string(kStateFile), "{}\n");
  return save.commit().generation.path;
}

std::string error_of(const RunConfig& config,
                     const std::function<void(std::vector<TensorView>&)>& spoil = {}) {
  const TempDirectory directory;
  const std::string path = save_spoiled(
      directory.file("run"), config, spoil ? spoil : [](std::vector<TensorView>&) {});
  std::string text = error_text<UserError>([&] { load_model(path, on_cpu()); });
  for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path)) {
    text.replace(at, path.size(), "STEP");
  }
  return text;
}

class EveryKind : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryKind, LoadsTheWeightsThatWereSaved) {
  const TempDirectory directory;
  const std::string run = directory.file("run");
  save_tiny_checkpoint(run, GetParam(), {.seed = 31});
  const TinyModel want(tiny_config(GetParam(), kByteVocabulary), at::kFloat, /*seed=*/31);
  const LoadedModel loaded = load_model(run, on_cpu());
  EXPECT_EQ(loaded.generation.path, run + "/step-1");
  EXPECT_EQ(loaded.config.model.compatibility, want.model->config().compatibility);
  EXPECT_EQ(loaded.config.model.max_length, 40);
  EXPECT_EQ(loaded.tokenizer->digest(), byte_tokenizer().digest());
  ASSERT_EQ(loaded.store->parameters().size(), want.store->parameters().size());
  for (std::size_t i = 0; i < want.store->parameters().size(); ++i) {
    const Parameter& parameter = want.store->parameters()[i];
    EXPECT_EQ(loaded.store->parameters()[i].name, parameter.name);
    EXPECT_TRUE(loaded.store->parameters()[i].master.equal(parameter.master)) << parameter.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryKind, ::testing::ValuesIn(kTinyKinds),
                         [](const auto& info) { return info.param; });

/// The kinds that the original has.
class ModelFiles : public ::testing::TestWithParam<std::string> {};

TEST_P(ModelFiles, LoadWithATokenizerAndAConfiguration) {
  const TempDirectory directory;
  byte_tokenizer().save(directory.file("tok"));
  directory.write("config.yaml", print_config(tiny_run_config(GetParam())));
  const TinyModel want(tiny_config(GetParam(), kByteVocabulary), at::kFloat, /*seed=*/31);
  const HostTensors weights = host_weights(*want.store);
  write_original_checkpoint(directory.file("m.pt"), {.weights = weights.views(), .steps = 5}, {});
  write_safetensors_file(directory.file("m.safetensors"), weights.views());
  for (const char* name : {"m.pt", "m.safetensors"}) {
    const std::string path = directory.file(name);
    const LoadedModel loaded =
        load_model(path, on_cpu(),
                   {.tokenizer = directory.file("tok"), .config = directory.file("config.yaml")});
    EXPECT_EQ(loaded.generation.path, path);
    EXPECT_EQ(loaded.config.model.num_heads, 2);
    EXPECT_EQ(loaded.tokenizer->digest(), byte_tokenizer().digest());
    ASSERT_EQ(loaded.store->parameters().size(), want.store->parameters().size());
    for (const Parameter& parameter : want.store->parameters()) {
      EXPECT_TRUE(loaded.store->find(parameter.name)->master.equal(parameter.master));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ModelFiles, ::testing::Values("compat_vanilla", "compat_linear"),
                         [](const auto& info) { return info.param; });

TEST(LoadModelErrors, NameTheTokenizerThatAFileNeeds) {
  EXPECT_TRUE(error_text<UsageError>([] {
                load_model("m.pt", on_cpu());
              }).starts_with("--tokenizer is missing"));
}

TEST(LoadModel, Bfloat16LayersComputeWithTheRoundedWeights) {
  const TempDirectory directory;
  save_tiny_checkpoint(directory.file("run"), "linear");
  CommonOptions common = on_cpu();
  common.dtype = "bfloat16";
  const LoadedModel loaded = load_model(directory.file("run"), common);
  for (const Parameter& parameter : loaded.store->parameters()) {
    EXPECT_EQ(parameter.compute.scalar_type(), at::kBFloat16);
    EXPECT_TRUE(parameter.compute.equal(parameter.master.to(at::kBFloat16))) << parameter.name;
  }
}

TEST(LoadModel, ADamagedGenerationIsPassedOverAndNamed) {
  const TempDirectory directory;
  const std::string run = directory.file("run");
  save_tiny_checkpoint(run, "linear", {.step = 1});
  save_tiny_checkpoint(run, "linear", {.step = 2});
  const std::string weights = run + "/step-2/" + std::string(kWeightsFile);
  std::string bytes = slurp(weights);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  std::ofstream(weights, std::ios::binary) << bytes;
  std::string talk;
  set_log_sink([&](LogLevel, std::string_view text) { talk += text; });
  const LoadedModel loaded = load_model(run, on_cpu());
  set_log_sink({});
  EXPECT_EQ(loaded.generation.step, 1);
  EXPECT_NE(talk.find("step-2"), std::string::npos) << talk;
}

TEST(LoadModelErrors, NameTheTensorThatIsMissing) {
  EXPECT_NE(
      error_of(tiny_run_config("linear"), [](std::vector<TensorView>& views) { views.pop_back(); })
          .find("linear.bias"),
      std::string::npos);
}

TEST(LoadModelErrors, NameTheTensorThatIsTooMany) {
  EXPECT_EQ(error_of(tiny_run_config("linear"),
                     [](std::vector<TensorView>& views) {
                       views.push_back(views.front());
                       views.back().name = "model.extra";
                     }),
            "STEP/model.safetensors: tensor model.extra does not belong to this model (got 56 "
            "tensors, want 55)");
}

TEST(LoadModelErrors, NameBothShapes) {
  RunConfig config = tiny_run_config("linear");
  config.model.projected_length = 8;
  EXPECT_EQ(
      error_of(config),
      "STEP/model.safetensors: tensor model.encoder.stacked.0.attention.E.weight has another shape "
      "(got [4, 40], want [8, 40])");
}

TEST(LoadModelErrors, NameTheValueThatIsNotFinite) {
  std::vector<float> values(16, 1.0F);
  values[5] = std::numeric_limits<float>::infinity();
  const std::string text = error_of(tiny_run_config("linear"), [&](std::vector<TensorView>& views) {
    for (TensorView& view : views) {
      if (view.name == "model.encoder.stacked.1.norm2.bias")
        view.bytes = {reinterpret_cast<const char*>(values.data()), 64};
    }
  });
  EXPECT_NE(text.find("model.encoder.stacked.1.norm2.bias"), std::string::npos) << text;
  EXPECT_NE(text.find("5"), std::string::npos) << text;
}

TEST(LoadModelErrors, RefuseWhatCannotTranslate) {
  RunConfig config = tiny_run_config("linear");
  config.model.encoder_only = true;
  EXPECT_EQ(error_of(config), "STEP: an encoder-only model cannot translate; it serves compare");
  config = tiny_run_config("linear");
  config.model.vocab_size = 200;
  EXPECT_EQ(error_of(config),
            "STEP: the tokenizer has more tokens than the model (got 261, want at most 200)");
}

}  // namespace
}  // namespace linformer
