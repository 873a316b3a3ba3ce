// SPDX-License-Identifier: Apache-2.0
#include "config/compatibility.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/config_text.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

RunConfig load(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return parse_run_config(yaml, "c.yaml", overrides).config;
}

bool is_compatible(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  const RunConfig config = load(yaml, overrides);
  EXPECT_EQ(config.compatibility, config.model.compatibility);
  return config.model.compatibility;
}

TEST(Compatibility, IsOnForTheOriginalsSpellingsAlone) {
  EXPECT_TRUE(is_compatible(seed_config()));
  EXPECT_TRUE(is_compatible(seed_config(
      "  encoder_only: false\n", "training:\n  epochs: 2\n  lr_scheduler:\n    min_lr: 0.0\n")));
  EXPECT_FALSE(is_compatible(vanilla_config()));
  EXPECT_FALSE(is_compatible(seed_config("  dropout: 0.1\n")));
  EXPECT_FALSE(is_compatible(seed_config("", "training:\n  max_steps: 5\n")));
}

TEST(Compatibility, IsNotSwitchedOffByOtherSectionsOrLayers) {
  EXPECT_TRUE(is_compatible(seed_config(
      "", "seed: 1\ndata:\n  train: a.csv\n  max_length: 64\ncheckpoint:\n  keep: 3\n")));
  EXPECT_TRUE(is_compatible(
      seed_config(), {"training.max_steps=5", "model.dropout=0.1", "model.projected_length=4"}));
  EXPECT_FALSE(
      is_compatible("seed: 1\n", {"model.type=Vanilla transformer", "model.dim=64",
                                  "model.mlp_dim=64", "model.n_heads=4", "model.n_layers=1"}));
}

TEST(Compatibility, IsDecidedByItsOwnOption) {
  EXPECT_FALSE(is_compatible(seed_config("", "compatibility: false\n")));
  EXPECT_FALSE(is_compatible(seed_config(), {"compatibility=false"}));
  EXPECT_TRUE(is_compatible(vanilla_config("", "compatibility: true\n")));
  EXPECT_TRUE(is_compatible(seed_config("  dropout: 0.1\n", "compatibility: true\n")));
}

TEST(Compatibility, GivesTheOriginalsValuesToOptionsThatAreNotGiven) {
  const RunConfig config = load(seed_config());
  EXPECT_EQ(config.model.norm, NormPlacement::kPost);
  EXPECT_EQ(config.model.dropout, 0.0);
  EXPECT_FALSE(config.model.tie_embeddings);
  EXPECT_EQ(config.model.projection, Projection::kLinear);
  EXPECT_EQ(config.model.projection_init, ProjectionInit::kSeed);
  const TrainingConfig& training = config.training;
  EXPECT_EQ(training.epochs, 10);
  EXPECT_EQ(training.batch_size, 88);
  EXPECT_EQ(training.optimizer, OptimizerKind::kAdam);
  EXPECT_EQ(training.learning_rate, 1e-4);
  EXPECT_EQ(training.beta1, 0.9);
  EXPECT_EQ(training.beta2, 0.999);
  EXPECT_EQ(training.epsilon, 1e-8);
  EXPECT_EQ(training.weight_decay, 0.0);
  EXPECT_EQ(training.schedule, Schedule::kCosine);
  EXPECT_EQ(training.lr_scheduler.warmup_steps, 1000);
  EXPECT_EQ(training.lr_scheduler.min_lr, 0.0);
  EXPECT_TRUE(training.lr_scheduler.cosine_annealing);
  EXPECT_EQ(training.lr_scheduler.cosine_tmax, 50);
  EXPECT_EQ(training.lr_scheduler.cosine_factor, 1.0);
  EXPECT_FALSE(training.lr_scheduler.cosine_restart);
  EXPECT_EQ(training.label_smoothing, 0.0);
  EXPECT_EQ(training.gradient_clip, 0.0);
  EXPECT_EQ(config.data.long_pairs, LongPolicy::kTruncate);
  EXPECT_EQ(config.seed, 42U);
}

TEST(Compatibility, KeepsWhatIsGiven) {
  const RunConfig config =
      load(seed_config("", "training:\n  batch_size: 4\n  learning_rate: 1e-3\n"),
           {"model.dropout=0.2", "training.gradient_clip=1"});
  EXPECT_EQ(config.training.batch_size, 4);
  EXPECT_EQ(config.training.learning_rate, 1e-3);
  EXPECT_EQ(config.model.dropout, 0.2);
  EXPECT_EQ(config.training.gradient_clip, 1.0);
}

TEST(Compatibility, HalvesOnAPlateauWithoutCosine) {
  const std::string off = "training:\n  lr_scheduler:\n    cosine_annealing: False\n";
  EXPECT_EQ(load(seed_config("", off)).training.schedule, Schedule::kPlateau);
}

TEST(Compatibility, OffMeansTheCorrectedModelUnderTheSameSizes) {
  const RunConfig config = load(seed_config("", "compatibility: false\n"));
  EXPECT_EQ(config.model.model_dim, 64);
  EXPECT_EQ(config.model.norm, NormPlacement::kPre);
  EXPECT_TRUE(config.model.tie_embeddings);
  EXPECT_EQ(config.model.projection_init, ProjectionInit::kIdentity);
  EXPECT_EQ(config.training.schedule, Schedule::kInverseSqrt);
  EXPECT_EQ(config.training.lr_scheduler.warmup_steps, 4000);
}

TEST(Compatibility, RefusesWhatTheOriginalsModelIsNot) {
  const auto complaint = [](const std::string& override_text) {
    return error_text<ConfigError>([&] { load(seed_config(), {override_text}); });
  };
  const std::string rest =
      " in compatibility mode (set compatibility: false for the corrected model)";
  EXPECT_EQ(complaint("model.norm=pre"), "command line: model.norm must be post" + rest);
  EXPECT_EQ(complaint("model.tie_embeddings=true"),
            "command line: model.tie_embeddings must be false" + rest);
  EXPECT_EQ(complaint("model.projection=segment"),
            "command line: model.projection must be linear" + rest);
  EXPECT_EQ(complaint("model.cross_attention=full"),
            "command line: model.cross_attention must be shortened" + rest);
}

}  // namespace
}  // namespace linformer
