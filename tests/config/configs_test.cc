// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "config/model_size.h"
#include "config/printer.h"
#include "config/yaml_reader.h"

namespace linformer {
namespace {

std::string config_path(const std::string& name) {
  return std::string(LF_SOURCE_DIR) + "/configs/" + name + ".yaml";
}

RunConfig load(const std::string& name) { return load_run_config(config_path(name)).config; }

/// The "32" of "perf_lin_k32_encoder_only"; 0 where the name has none.
std::int64_t k_of_name(const std::string& name) {
  const std::size_t found = name.find("lin_k");
  return found == std::string::npos ? 0 : std::stoll(name.substr(found + 5));
}

TEST(Configs, AllLoadAndPrintBack) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(LF_SOURCE_DIR) + "/configs")) {
    ASSERT_EQ(entry.path().extension(), ".yaml");
    const RunConfig config = load(entry.path().stem().string());
    const std::string text = print_config(config);
    EXPECT_EQ(print_config(parse_run_config(text, "printed.yaml").config), text) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 18);
}

TEST(Configs, TheOriginalsElevenHaveTheirValues) {
  for (const char* name :
       {"lin_k32_training", "lin_k64_training", "vanilla_training", "perf_lin_k32", "perf_lin_k64",
        "perf_lin_k128", "perf_lin_k32_encoder_only", "perf_lin_k64_encoder_only",
        "perf_lin_k128_encoder_only", "perf_vanilla", "perf_vanilla_encoder_only"}) {
    const RunConfig config = load(name);
    const std::string text(name);
    const bool is_training = text.ends_with("training");
    EXPECT_TRUE(config.model.compatibility) << name;
    EXPECT_EQ(config.model.type, text.find("lin_k") == std::string::npos ? ModelType::kTransformer
                                                                         : ModelType::kLinformer)
        << name;
    EXPECT_EQ(config.model.projected_length, k_of_name(name)) << name;
    EXPECT_EQ(config.model.model_dim, 512);
    EXPECT_EQ(config.model.ffn_dim, 2048);
    EXPECT_EQ(config.model.num_heads, 8);
    EXPECT_EQ(config.model.num_layers, 6);
    EXPECT_EQ(config.model.encoder_only, text.ends_with("encoder_only")) << name;
    EXPECT_EQ(config.model.vocab_size, is_training ? 0 : 50272);
    EXPECT_EQ(config.training.batch_size, is_training ? 88 : 256);
    EXPECT_EQ(config.data.max_length, is_training || !k_of_name(name) ? 256 : 16384) << name;
  }
}

TEST(Configs, TheOriginalsTrainingHasItsSchedule) {
  for (const char* name : {"lin_k32_training", "lin_k64_training", "vanilla_training"}) {
    const TrainingConfig training = load(name).training;
    EXPECT_EQ(training.epochs, 10);
    EXPECT_EQ(training.learning_rate, 1e-4);
    EXPECT_EQ(training.lr_scheduler.warmup_steps, 4000);
    EXPECT_TRUE(training.lr_scheduler.cosine_annealing);
    EXPECT_EQ(training.lr_scheduler.cosine_tmax, 10);
    EXPECT_EQ(training.lr_scheduler.cosine_factor, 1.0);
    EXPECT_FALSE(training.lr_scheduler.cosine_restart);
    EXPECT_EQ(training.lr_scheduler.min_lr, 1e-6);
  }
}

TEST(Configs, OursAreTheCorrectedModel) {
  const std::map<std::string, std::int64_t> projected{{"demo", 4},
                                                      {"small_vanilla", 0},
                                                      {"small_linformer", 16},
                                                      {"multi30k_vanilla", 0},
                                                      {"multi30k_linformer", 16},
                                                      {"corpus_vanilla", 0},
                                                      {"corpus_linformer", 16},
                                                      {"wmt14_base_vanilla", 0},
                                                      {"wmt14_base_linformer", 32}};
  for (const auto& [name, k] : projected) {
    const ModelConfig model = load(name).model;
    EXPECT_FALSE(model.compatibility) << name;
    EXPECT_EQ(model.norm, NormPlacement::kPre) << name;
    EXPECT_TRUE(model.tie_embeddings) << name;
    EXPECT_EQ(model.dropout > 0.0, name != "demo")
        << name;  // the demo sees its corpus less than three times
    EXPECT_EQ(model.projected_length, k) << name;
  }
}

TEST(Configs, Multi30kHasASegmentVariantByOverride) {
  const RunConfig config = load_run_config(config_path("multi30k_linformer"),
                                           {"model.projection=segment", "model.projected_length=8"})
                               .config;
  EXPECT_EQ(config.model.projection, Projection::kSegment);
  EXPECT_EQ(config.model.projected_length, 8);
}

}  // namespace
}  // namespace linformer
