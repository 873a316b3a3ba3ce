// SPDX-License-Identifier: Apache-2.0
#include "engine/compare_plan.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

ModelConfig linformer_config(std::int64_t max_length = 16384) {
  ModelConfig config;
  config.type = ModelType::kLinformer;
  config.projected_length = 32;
  config.max_length = max_length;
  config.vocab_size = 50272;
  return config;
}

TEST(ComparePlan, TimesVanillaAndTheLinformerUnfusedAndFused) {
  std::vector<std::string> names;
  std::vector<std::string> files;
  for (const CompareKind& kind : compare_kinds(linformer_config())) {
    names.push_back(kind.name());
    files.push_back(kind.file_name());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"vanilla unfused", "vanilla fused",
                                             "linformer k=32 unfused", "linformer k=32 fused"}));
  EXPECT_EQ(files, (std::vector<std::string>{"vanilla-unfused", "vanilla-fused",
                                             "linformer-k32-unfused", "linformer-k32-fused"}));
  ModelConfig vanilla = linformer_config();
  vanilla.type = ModelType::kTransformer;
  const std::vector<CompareKind> kinds = compare_kinds(vanilla);
  ASSERT_EQ(kinds.size(), 2u);
  EXPECT_EQ(kinds.back().name(), "vanilla fused");
}

TEST(ComparePlan, DefaultLengthsArePowersOfTwoThatFit) {
  using Lengths = std::vector<std::int64_t>;
  EXPECT_EQ(default_lengths(linformer_config(), 2048), (Lengths{256, 512, 1024, 2048}));
  EXPECT_EQ(default_lengths(linformer_config(), 16384),
            (Lengths{256, 512, 1024, 2048, 4096, 8192, 16384}));
  EXPECT_EQ(default_lengths(linformer_config(), 1 << 20).back(), 16384);
  EXPECT_EQ(default_lengths(linformer_config(256), 2048), (Lengths{256}));
  EXPECT_EQ(default_lengths(linformer_config(), 100), (Lengths{100}));
  EXPECT_EQ(default_lengths(linformer_config(60), 2048), (Lengths{60}));
  ModelConfig vanilla = linformer_config(256);
  vanilla.type = ModelType::kTransformer;
  EXPECT_EQ(default_lengths(vanilla, 1024), (Lengths{256, 512, 1024}));
}

TEST(ComparePlan, BatchesHoldTheTokens) {
  EXPECT_EQ(compare_batch(16384, 256), 64);
  EXPECT_EQ(compare_batch(1000, 300), 3);
  EXPECT_EQ(compare_batch(100, 300), 1);
}

TEST(ComparePlan, OnlyALinearLinformerHasALongestLength) {
  EXPECT_FALSE(is_too_long(linformer_config(256), 256));
  EXPECT_TRUE(is_too_long(linformer_config(256), 257));
  ModelConfig config = linformer_config(256);
  config.projection = Projection::kSegment;
  EXPECT_FALSE(is_too_long(config, 100000));
  config.type = ModelType::kTransformer;
  EXPECT_FALSE(is_too_long(config, 100000));
}

TEST(ComparePlan, UnfusedScoresGrowWithTheSquareOfTheLength) {
  ModelConfig config = linformer_config();
  config.encoder_only = true;
  config.vocab_size = 1;
  const auto scores = [&](ModelType type, std::int64_t length) {
    ModelConfig copy = config;
    copy.type = type;
    return forward_bytes({copy, false}, 1, length, 4) - forward_bytes({copy, true}, 1, length, 4);
  };
  const double head = 16384.0 * 4.0;  // hides behind the scores
  EXPECT_DOUBLE_EQ(scores(ModelType::kTransformer, 16384), 2.0 * 8 * 16384.0 * 16384.0 * 4 - head);
  EXPECT_DOUBLE_EQ(scores(ModelType::kLinformer, 16384), 2.0 * 8 * 16384.0 * 32.0 * 4 - head);
  config.encoder_only = false;  // the decoder's causal attention is full in both
  EXPECT_DOUBLE_EQ(scores(ModelType::kLinformer, 16384), scores(ModelType::kTransformer, 16384));
}

TEST(ComparePlan, TheHeadOfTheOriginalNeedsItsLogitsAndTheirSoftmax) {
  ModelConfig config = linformer_config();
  const double narrow = forward_bytes({config, true}, 64, 256, 2);
  const double wide = forward_bytes({config, true}, 64, 256, 4);
  config.compatibility = true;
  const double logits = 16384.0 * 50272.0;
  EXPECT_DOUBLE_EQ(forward_bytes({config, true}, 64, 256, 4) - wide, logits * 4);
  EXPECT_DOUBLE_EQ(forward_bytes({config, true}, 64, 256, 2) - narrow, logits * 8);
}

}  // namespace
}  // namespace linformer
