// SPDX-License-Identifier: Apache-2.0
#include "config/validate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/config_text.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

std::string complaint(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return error_text<ConfigError>([&] { parse_run_config(yaml, "c.yaml", overrides); });
}

void expect_accepted(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  EXPECT_NO_THROW(parse_run_config(yaml, "c.yaml", overrides));
}

TEST(Validate, NamesWhatIsMissing) {
  EXPECT_EQ(complaint("seed: 1\n"),
            "c.yaml: model.type is missing (want Vanilla transformer or Linformer; example: type: "
            "Linformer)");
  EXPECT_EQ(
      complaint("model:\n  type: Linformer\n"),
      "c.yaml: model.dim is missing (want an integer from 2 to 2147483648; example: dim: 512)");
  const std::string no_layers = "model:\n  type: Linformer\n  dim: 8\n  mlp_dim: 8\n  n_heads: 2\n";
  EXPECT_EQ(
      complaint(no_layers),
      "c.yaml: model.n_layers is missing (want an integer from 1 to 1024; example: n_layers: 6)");
}

TEST(Validate, WantsSizesThatDivide) {
  EXPECT_EQ(complaint(vanilla_config(), {"model.dim=510", "model.n_heads=8"}),
            "command line: model.dim (510) must be a multiple of model.n_heads (8)");
  EXPECT_EQ(complaint(vanilla_config(), {"model.num_heads=5"}),
            "c.yaml:3:3: model.model_dim (64) must be a multiple of model.num_heads (5)");
  EXPECT_EQ(complaint(vanilla_config(), {"model.dim=9", "model.n_heads=3"}),
            "command line: model.dim (9) must be even: positions are encoded by pairs of sine and "
            "cosine");
}

TEST(Validate, WantsARunForTheCheckpointOfWandb) {
  EXPECT_EQ(complaint(vanilla_config(), {"tracking.wandb_checkpoint=best"}),
            "command line: tracking.wandb_checkpoint needs tracking.wandb: offline or online");
  expect_accepted(vanilla_config(), {"tracking.wandb_checkpoint=best", "tracking.wandb=offline"});
}

TEST(Validate, WantsTokensForBatchesOfOneShape) {
  EXPECT_EQ(complaint(vanilla_config(), {"training.fixed_capacity=true", "training.batch_size=8"}),
            "command line: training.fixed_capacity does not go with training.batch_size (8): give "
            "training.batch_tokens");
  expect_accepted(vanilla_config(), {"training.fixed_capacity=true", "training.batch_tokens=512"});
}

TEST(Validate, WantsAProjectedLengthForALinformerAlone) {
  EXPECT_EQ(complaint(vanilla_config(), {"model.type=Linformer"}),
            "command line: model.k is missing: a Linformer must say to how many rows it shortens "
            "keys and values (example: k: 32)");
  EXPECT_EQ(complaint(seed_config(), {"model.k=0"}),
            "command line: model.k is out of range (got 0, want an integer from 1 to 65536)");
  EXPECT_EQ(complaint(seed_config("", "dataset:\n  max_length: 7\n")),
            "c.yaml:7:3: model.k (8) must not be above dataset.max_length (7)");
  EXPECT_EQ(complaint(seed_config(), {"model.k=257"}),
            "command line: model.k (257) must not be above dataset.max_length (256)");
  EXPECT_EQ(complaint(seed_config(), {"model.type=Vanilla transformer"}),
            "c.yaml:7:3: model.k is for type Linformer alone (leave it out, or set model.type)");
  expect_accepted(seed_config(), {"model.k=256"});
}

TEST(Validate, ComparesLearningRates) {
  EXPECT_EQ(complaint(seed_config(
                "", "training:\n  learning_rate: 1e-4\n  lr_scheduler:\n    min_lr: 2e-4\n")),
            "c.yaml:11:5: training.lr_scheduler.min_lr (0.0002) must not be above "
            "training.learning_rate (0.0001)");
  expect_accepted(
      seed_config("", "training:\n  learning_rate: 1e-4\n  lr_scheduler:\n    min_lr: 1e-4\n"));
}

TEST(Validate, ChecksTheSchedule) {
  const std::string restart = "training:\n  lr_scheduler:\n    cosine_restart: true\n";
  EXPECT_EQ(complaint(seed_config("", restart + "    cosine_factor: 0\n")),
            "c.yaml:11:5: training.lr_scheduler.cosine_factor (0) must be a whole number of at "
            "least 1 when "
            "training.lr_scheduler.cosine_restart is true");
  EXPECT_NE(complaint(seed_config("", restart + "    cosine_factor: 1.5\n"))
                .find("(1.5) must be a whole number"),
            std::string::npos);
  expect_accepted(seed_config("", restart + "    cosine_factor: 1.0\n"));
  expect_accepted(seed_config("", restart));
  EXPECT_EQ(complaint(vanilla_config(), {"training.lr_scheduler.warmup_steps=0"}),
            "command line: training.lr_scheduler.warmup_steps must be at least 1 with "
            "training.schedule inverse_sqrt");
  expect_accepted(vanilla_config(),
                  {"training.lr_scheduler.warmup_steps=0", "training.schedule=constant"});
  expect_accepted(seed_config(), {"training.lr_scheduler.warmup_steps=0"});
}

TEST(Validate, RefusesSingleValuesOutOfRange) {
  for (const char* text :
       {"training.lr_scheduler.warmup_steps=-1", "training.lr_scheduler.cosine_tmax=0",
        "training.batch_size=0", "training.epochs=0", "training.epochs=2.5", "data.max_length=1",
        "data.fraction=0", "data.fraction=-0.1", "data.fraction=1.5", "data.fraction=.nan",
        "checkpoint.keep=1"}) {
    const std::string key = std::string(text).substr(0, std::string(text).find('='));
    const std::string got = complaint(vanilla_config(), {text});
    EXPECT_TRUE(got.starts_with("command line: " + key + " ")) << got;
    EXPECT_NE(got.find(", want "), std::string::npos) << got;
  }
}

TEST(Validate, WantsBleuBeforeItDecides) {
  EXPECT_EQ(complaint(vanilla_config(), {"training.early_stopping.metric=bleu"}),
            "command line: training.early_stopping.metric bleu needs training.validation_bleu 13a "
            "or none");
  expect_accepted(vanilla_config(),
                  {"training.early_stopping.metric=bleu", "training.validation_bleu=none"});
}

TEST(Validate, WantsTheCheckpointsThatAreAveraged) {
  EXPECT_EQ(complaint(vanilla_config(), {"training.average_last=5"}),
            "command line: training.average_last (5) must not be above checkpoint.keep (2)");
  expect_accepted(vanilla_config(), {"training.average_last=5", "checkpoint.keep=5"});
}

TEST(Validate, WantsOneCorpusASide) {
  EXPECT_EQ(complaint(vanilla_config(), {"data.train_source=a"}),
            "command line: data.train_source needs data.train_target");
  EXPECT_EQ(complaint(vanilla_config(), {"data.validation_target=a"}),
            "command line: data.validation_target needs data.validation_source");
  EXPECT_EQ(
      complaint(vanilla_config(), {"data.train=a", "data.train_source=b", "data.train_target=c"}),
      "command line: data.train_source and data.train name two corpora (want one)");
}

TEST(Validate, RefusesModelsThatFitNowhere) {
  EXPECT_EQ(complaint(seed_config("", "").replace(seed_config().find("64"), 2, "2147483648")),
            "c.yaml:3:3: model.dim is too large: weights, gradients and Adam's moments would take "
            "about 1.8e+21 bytes (want at "
            "most 4 TiB)");
  EXPECT_NE(
      complaint(vanilla_config(), {"model.mlp_dim=2147483648"}).find("model.mlp_dim is too large"),
      std::string::npos);
  EXPECT_EQ(complaint(vanilla_config(), {"model.dim=1000000000000000000000000000000"}),
            "command line: model.dim is out of range (got 1000000000000000000000000000000, want an "
            "integer from 2 to 2147483648)");
  expect_accepted(vanilla_config(), {"model.dim=8192", "model.mlp_dim=32768"});
}

TEST(Spelled, QuotesTheUserAndElseTheOriginal) {
  const LoadedConfig loaded = parse_run_config(vanilla_config(), "c.yaml");
  EXPECT_EQ(spelled(loaded, "model.model_dim"), "model.model_dim");
  EXPECT_EQ(spelled(loaded, "model.projected_length"), "model.k");
  EXPECT_EQ(spelled(loaded, "training.max_steps"), "training.max_steps");
  EXPECT_EQ(complaint_start(loaded, "model.model_dim", "c.yaml"), "c.yaml:3:3: ");
  EXPECT_EQ(complaint_start(loaded, "training.max_steps", "c.yaml"), "c.yaml: ");
}

}  // namespace
}  // namespace linformer
