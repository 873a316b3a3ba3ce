// SPDX-License-Identifier: Apache-2.0
#include "cli/model_file.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/log.h"
#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

const std::string kOriginal = LF_SOURCE_DIR "/tests/golden/torch_original.pt";

TEST(ModelKindOf, IsDecidedByTheName) {
  EXPECT_EQ(model_kind("a/checkpoint.pt"), ModelKind::kTorch);
  EXPECT_EQ(model_kind("a/model.safetensors"), ModelKind::kSafetensors);
  EXPECT_EQ(model_kind("runs/latest"), ModelKind::kRun);
}

TEST(ModelFileTest, BothFormatsGiveTheSameWeights) {
  const ModelFile torch(kOriginal);
  EXPECT_EQ(torch.model.steps, 3);
  const TempDirectory directory;
  const std::string path = directory.file("m.safetensors");
  write_safetensors_file(path, torch.model.weights);
  const ModelFile safetensors(path);
  EXPECT_TRUE(safetensors.model.moments.empty());
  ASSERT_EQ(safetensors.model.weights.size(), torch.model.weights.size());
  for (std::size_t i = 0; i < torch.model.weights.size(); ++i) {
    EXPECT_EQ(safetensors.model.weights[i].name, torch.model.weights[i].name);
    EXPECT_EQ(safetensors.model.weights[i].bytes, torch.model.weights[i].bytes);
  }
}

TEST(ModelFileTest, RefusesWhatIsNotFinite) {
  const TempDirectory directory;
  const std::string path = directory.file("m.safetensors");
  const float bad[2] = {1, std::numeric_limits<float>::infinity()};
  const TensorView tensor{
      .name = "w", .shape = {2}, .bytes = {reinterpret_cast<const char*>(bad), sizeof bad}};
  write_safetensors_file(path, std::span(&tensor, 1));
  EXPECT_EQ(error_text<CheckpointError>([&] { const ModelFile file(path); }),
            path + ": tensor \"w\" is not finite at flat index 1");
}

TEST(ModelSettingOf, SaysThatTheHeadsAreAssumed) {
  const TempDirectory directory;
  byte_tokenizer().save(directory.path());
  const ModelFile file(kOriginal);
  std::string talk;
  set_log_sink([&](LogLevel, std::string_view text) { talk += text; });
  const ModelSetting setting =
      model_setting(file.model, kOriginal, {.tokenizer = directory.path()});
  set_log_sink({});
  EXPECT_NE(talk.find("number of heads: taken as 8"), std::string::npos) << talk;
  EXPECT_EQ(setting.config.model.model_dim, 8);
  EXPECT_EQ(setting.config.model.projected_length, 3);
  EXPECT_TRUE(setting.config.model.compatibility);
  EXPECT_EQ(setting.tokenizer.digest(), byte_tokenizer().digest());
}

TEST(ModelSettingOf, RefusesATokenizerWithMoreTokensThanTheModel) {
  const TempDirectory directory;
  byte_tokenizer().save(directory.path());
  ModelFile file(kOriginal);
  for (TensorView& view : file.model.weights) {
    if (view.name == "model.embedding.weight") view.shape = {100, 8};
  }
  EXPECT_EQ(error_text<UserError>(
                [&] { model_setting(file.model, "x.pt", {.tokenizer = directory.path()}); }),
            directory.path() +
                ": the tokenizer has more tokens than the model (got 261, want at most 100)");
}

TEST(ModelOptions, ATokenizerGoesWithFilesAlone) {
  EXPECT_NO_THROW(check_model_options("x.pt", {.tokenizer = "t"}));
  EXPECT_NO_THROW(check_model_options("runs/x", {}));
  EXPECT_EQ(error_text<UsageError>([] { check_model_options("x.pt", {.config = "c"}); }),
            "--tokenizer is missing (want the DIR that x.pt was trained with; a run directory "
            "holds it)");
  for (const ModelFileOptions& options :
       {ModelFileOptions{.tokenizer = "t"}, ModelFileOptions{.config = "c"}}) {
    EXPECT_EQ(error_text<UsageError>([&] { check_model_options("runs/x", options); }),
              "--tokenizer and --config are for .pt and .safetensors files (got runs/x, a run "
              "directory, which holds its own)");
  }
}

TEST(ModelOptions, ARunOfWandbMayHoldEither) {
  EXPECT_NO_THROW(check_model_options("wandb:a/b/c", {}));
  EXPECT_NO_THROW(check_model_options("wandb:a/b/c", {.tokenizer = "t", .config = "c"}));
}

}  // namespace
}  // namespace linformer
