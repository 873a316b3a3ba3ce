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

TEST(ComparePlan, TimesEveryPathOfVanillaAndTheLinformer) {
  std::vector<std::string> names;
  std::vector<std::string> files;
  for (const CompareKind& kind : compare_kinds(linformer_config())) {
    names.push_back(kind.name());
    files.push_back(kind.file_name());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"vanilla unfused", "vanilla fused", "vanilla ours",
                                             "linformer k=32 unfused", "linformer k=32 fused",
                                             "linformer k=32 ours"}));
  EXPECT_EQ(files, (std::vector<std::string>{"vanilla-unfused", "vanilla-fused", "vanilla-ours",
                                             "linformer-k32-unfused", "linformer-k32-fused",
                                             "linformer-k32-ours"}));
  ModelConfig vanilla = linformer_config();
  vanilla.type = ModelType::kTransformer;
  const std::vector<CompareKind> kinds = compare_kinds(vanilla);
  ASSERT_EQ(kinds.size(), 3u);
  EXPECT_EQ(kinds.back().name(), "vanilla ours");
  EXPECT_EQ(own_kind(linformer_config()).name(), "linformer k=32 fused");
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
  const auto scores = [&](ModelType type, std::int64_t length, bool by_head = false) {
    ModelConfig copy = config;
    copy.type = type;
    const ForwardShape shape{.batch = 1,
                             .length = length,
                             .bytes_per_element = 4,
                             .head = HeadOutput::kNone,
                             .by_head = by_head};
    return forward_bytes({copy, ForwardPath::kUnfused}, shape) -
           forward_bytes({copy, ForwardPath::kFused}, shape);
  };
  EXPECT_DOUBLE_EQ(scores(ModelType::kTransformer, 16384), 2.0 * 8 * 16384.0 * 16384.0 * 4);
  EXPECT_DOUBLE_EQ(scores(ModelType::kLinformer, 16384), 2.0 * 8 * 16384.0 * 32.0 * 4);
  EXPECT_DOUBLE_EQ(scores(ModelType::kTransformer, 16384, true), 2.0 * 16384.0 * 16384.0 * 4);
  config.encoder_only = false;  // the decoder's causal attention is full in both
  EXPECT_DOUBLE_EQ(scores(ModelType::kLinformer, 16384), scores(ModelType::kTransformer, 16384));
}

TEST(ComparePlan, HeadsNeedTheirOutputAndOnPlainPathsAllThatLeadsToIt) {
  const CompareKind plain{linformer_config(), ForwardPath::kFused};
  const CompareKind ours{linformer_config(), ForwardPath::kOurs};
  const double values = 16384.0 * 50272.0;
  const auto head = [](const CompareKind& kind, HeadOutput output, std::int64_t element) {
    ForwardShape shape{.batch = 64, .length = 256, .bytes_per_element = element, .head = output};
    const double with = forward_bytes(kind, shape);
    shape.head = HeadOutput::kNone;
    return with - forward_bytes(kind, shape);
  };
  EXPECT_DOUBLE_EQ(head(plain, HeadOutput::kLogits, 2), values * 2);
  EXPECT_DOUBLE_EQ(head(ours, HeadOutput::kLogits, 2), values * 2);
  EXPECT_DOUBLE_EQ(head(plain, HeadOutput::kSoftmax, 4), values * 8);
  EXPECT_DOUBLE_EQ(head(plain, HeadOutput::kSoftmax, 2), values * 10);
  EXPECT_DOUBLE_EQ(head(ours, HeadOutput::kSoftmax, 2), values * 4 + (1 << 29));
  EXPECT_DOUBLE_EQ(head(ours, HeadOutput::kNll, 2), 1 << 29);
  EXPECT_DOUBLE_EQ(head(plain, HeadOutput::kArgmax, 2), values * 2);
}

TEST(ComparePlan, OnAGpuFullUnfusedAttentionBeyond32768GoesHeadByHead) {
  ModelConfig linformer = linformer_config(1 << 17);
  ModelConfig vanilla = linformer;
  vanilla.type = ModelType::kTransformer;
  const auto by_head = [](const ModelConfig& config, ForwardPath path, std::int64_t length,
                          bool is_gpu = true) {
    return is_by_head({config, path}, length, is_gpu);
  };
  EXPECT_TRUE(by_head(vanilla, ForwardPath::kUnfused, 65536));
  EXPECT_FALSE(by_head(vanilla, ForwardPath::kUnfused, 32768));
  EXPECT_FALSE(by_head(vanilla, ForwardPath::kFused, 65536));
  EXPECT_FALSE(by_head(vanilla, ForwardPath::kUnfused, 65536, false));
  EXPECT_TRUE(by_head(linformer, ForwardPath::kUnfused, 65536)) << "its decoder is full";
  linformer.encoder_only = true;
  EXPECT_FALSE(by_head(linformer, ForwardPath::kUnfused, 65536));
}

}  // namespace
}  // namespace linformer
