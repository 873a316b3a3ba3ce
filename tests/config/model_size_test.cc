// SPDX-License-Identifier: Apache-2.0
#include "config/model_size.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

ModelConfig original(ModelType type, std::int64_t k) {
  ModelConfig config;
  config.type = type;
  config.projected_length = k;
  config.vocab_size = 50272;
  config.norm = NormPlacement::kPost;
  config.tie_embeddings = false;
  config.compatibility = true;
  return config;
}

TEST(ParameterCount, IsTheOriginals) {
  EXPECT_EQ(parameter_count(original(ModelType::kTransformer, 0)), 95599712.0);
  EXPECT_EQ(parameter_count(original(ModelType::kLinformer, 32)), 95796320.0);
  EXPECT_EQ(parameter_count(original(ModelType::kLinformer, 64)), 95992928.0);
  ModelConfig encoder = original(ModelType::kTransformer, 0);
  encoder.encoder_only = true;
  EXPECT_EQ(parameter_count(encoder), 70415456.0);
}

TEST(ParameterCount, CountsEachPartOfASmallModel) {
  ModelConfig config;
  config.model_dim = 4;
  config.ffn_dim = 6;
  config.num_heads = 2;
  config.num_layers = 1;
  config.vocab_size = 10;
  // Tied table 40; encoder 64 + 48 + 16 + final 8; decoder 128 + 48 + 24 + final 8.
  EXPECT_EQ(parameter_count(config), 384.0);
  config.type = ModelType::kLinformer;
  config.projected_length = 3;
  config.max_length = 5;
  EXPECT_EQ(parameter_count(config), 384.0 + 2 * 2 * 15);
  config.projection = Projection::kSegment;
  EXPECT_EQ(parameter_count(config), 384.0 + 2 * (8 + 2));
  config.cross_attention = CrossAttention::kFull;
  EXPECT_EQ(parameter_count(config), 384.0 + (8 + 2));
  config.cross_attention = CrossAttention::kShortened;
  config.tie_embeddings = false;
  EXPECT_EQ(parameter_count(config), 384.0 + 2 * (8 + 2) + 50);
}

TEST(ParameterCount, DoesNotOverflow) {
  ModelConfig config;
  config.model_dim = 2147483648;
  config.ffn_dim = 2147483648;
  config.num_layers = 1024;
  EXPECT_GT(parameter_count(config), 1e22);
}

TEST(TrainingStateBytes, IsFourFloatsAParameter) {
  const ModelConfig config = original(ModelType::kTransformer, 0);
  EXPECT_EQ(training_state_bytes(config), 16 * 95599712.0);
}

TEST(ActivationBytes, AreNearWhatAGpuTook) {
  // One H200, bfloat16, base size: peaks of a step less 16 bytes a parameter.
  struct Measured {
    std::int64_t vocab_size;
    double tokens;
    double bytes;
  };
  for (const Measured& one : {Measured{50272, 8192, 3.99e9}, Measured{16000, 16384, 4.05e9}}) {
    ModelConfig config;
    config.vocab_size = one.vocab_size;
    EXPECT_NEAR(activation_bytes(config, one.tokens) / 2, one.bytes, 0.25 * one.bytes);
  }
}

TEST(ActivationBytes, GrowWithTheBatchAndWithTheDecoder) {
  ModelConfig config = original(ModelType::kTransformer, 0);
  const double both = activation_bytes(config, 16384);
  EXPECT_EQ(activation_bytes(config, 32768), 2 * both);
  config.encoder_only = true;
  EXPECT_LT(activation_bytes(config, 16384), both);
}

}  // namespace
}  // namespace linformer
