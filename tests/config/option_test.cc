// SPDX-License-Identifier: Apache-2.0
#include "config/option.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace linformer {
namespace {

TEST(Schema, NamesEveryOptionOnceInEverySpelling) {
  RunConfig config;
  const Schema schema = schema_of(config);
  std::set<std::string> seen;
  for (const Option& option : schema.options) {
    EXPECT_FALSE(option.help.empty()) << option.key;
    EXPECT_TRUE(option.help.ends_with('.')) << option.key;
    for (const std::string& spelling : option.spellings) {
      EXPECT_TRUE(seen.insert(spelling).second) << spelling;
      EXPECT_EQ(schema.find(spelling), &option);
    }
  }
  EXPECT_GT(schema.options.size(), 50U);
}

TEST(Schema, KeepsTheOriginalsNames) {
  RunConfig config;
  const Schema schema = schema_of(config);
  for (const char* path :
       {"model.type", "model.dim", "model.mlp_dim", "model.n_heads", "model.n_layers", "model.k",
        "model.vocab_size", "model.encoder_only", "training.epochs", "training.batch_size",
        "training.learning_rate", "training.lr_scheduler.warmup_steps",
        "training.lr_scheduler.cosine_annealing", "training.lr_scheduler.cosine_tmax",
        "training.lr_scheduler.cosine_factor", "training.lr_scheduler.cosine_restart",
        "training.lr_scheduler.min_lr", "dataset.max_length"}) {
    const Option* option = schema.find(path);
    ASSERT_NE(option, nullptr) << path;
    EXPECT_EQ(option->original, path);
  }
  const auto originals = std::ranges::count_if(
      schema.options, [](const Option& option) { return !option.original.empty(); });
  EXPECT_EQ(originals, 18);
}

TEST(Schema, WritesThroughToItsConfiguration) {
  RunConfig config;
  const Schema schema = schema_of(config);
  std::get<EnumMember>(schema.find("model.norm")->member).set(1);
  EXPECT_EQ(config.model.norm, NormPlacement::kPost);
  *std::get<std::int64_t*>(schema.find("model.dim")->member) = 64;
  EXPECT_EQ(config.model.model_dim, 64);
  EXPECT_EQ(schema.find("model.norm")->value_text(), "post");
  EXPECT_EQ(schema.find("model.model_dim")->value_text(), "64");
}

TEST(Schema, LeavesOutWhatWasNotGiven) {
  RunConfig config;
  const Schema schema = schema_of(config);
  EXPECT_EQ(schema.find("model.k")->value_text(), std::nullopt);
  EXPECT_EQ(schema.find("training.batch_size")->value_text(), std::nullopt);
  EXPECT_EQ(schema.find("compatibility")->value_text(), std::nullopt);
  config.compatibility = false;
  EXPECT_EQ(schema.find("compatibility")->value_text(), "false");
}

TEST(Schema, SuggestsForASlipInAnyName) {
  RunConfig config;
  const Schema schema = schema_of(config);
  for (const Option& option : schema.options) {
    for (const std::string& spelling : option.spellings) {
      if (spelling.size() - spelling.rfind('.') <= 3)
        continue;  // "k" has no slip that is nearer to it than to others
      const std::string suggestion = schema.suggest(spelling.substr(0, spelling.size() - 1));
      EXPECT_NE(schema.find(suggestion), nullptr) << spelling << " -> " << suggestion;
      std::string swapped = spelling;
      std::swap(swapped[swapped.size() - 2], swapped[swapped.size() - 3]);
      if (schema.find(swapped) == nullptr) EXPECT_EQ(schema.suggest(swapped), spelling);
    }
  }
}

TEST(Schema, SuggestsTheRightSection) {
  RunConfig config;
  const Schema schema = schema_of(config);
  EXPECT_EQ(schema.suggest("model.typ"), "model.type");
  EXPECT_EQ(schema.suggest("model.epochs"), "training.epochs");
  EXPECT_EQ(schema.suggest("training.warmup_steps"), "training.lr_scheduler.warmup_steps");
  EXPECT_EQ(schema.suggest("modle"), "model");
  EXPECT_EQ(schema.suggest("zzzzzzzz"), "");
}

TEST(Schema, SaysWhatIsWanted) {
  RunConfig config;
  const Schema schema = schema_of(config);
  EXPECT_EQ(schema.find("model.num_heads")->wanted(), "an integer from 1 to 1024");
  EXPECT_EQ(schema.find("training.learning_rate")->wanted(),
            "a finite number above 0, at most 1000");
  EXPECT_EQ(schema.find("model.type")->wanted(), "Vanilla transformer or Linformer");
  EXPECT_EQ(schema.find("deterministic")->wanted(), "true or false");
  EXPECT_EQ(schema.find("seed")->wanted(), "an integer from 0 to 18446744073709551615");
  EXPECT_EQ(schema.find("data.train")->wanted(), "text");
}

}  // namespace
}  // namespace linformer
