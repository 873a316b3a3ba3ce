// SPDX-License-Identifier: Apache-2.0
// Parity with the independent PyTorch reference of scripts/golden/reference_model.py, and the
// properties that goldens cannot show.
#include "model/transformer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "config/model_size.h"
#include "ops/linear_cross_entropy.h"
#include "support/golden_model.h"

namespace linformer {
namespace {

using testing::fill_by_rule;
using testing::golden_config;
using testing::golden_labels;
using testing::golden_side;
using testing::load_golden;

struct GoldenRun {
  nlohmann::json golden;
  ModelConfig config;
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<Transformer> model;
  at::Tensor hidden_TM;

  GoldenRun(const std::string& name, at::ScalarType dtype)
      : golden(load_golden(name)),
        config(golden_config(golden.at("config"))),
        store(std::make_unique<ParameterStore>(at::kCPU, dtype, 1)),
        model(std::make_unique<Transformer>(config, *store)) {
    fill_by_rule(*store);
    const PackedSequences source = golden_side(golden.at("source"));
    hidden_TM = model->encode(source);
    if (!config.encoder_only) {
      hidden_TM = model->decode(golden_side(golden.at("decoder_input")), hidden_TM, source);
    }
  }

  double loss(double smoothing, bool backward = false) {
    const at::Tensor labels = golden_labels(golden);
    const at::Tensor out =
        linear_cross_entropy({hidden_TM, model->head_weight(), model->head_bias(), labels,
                              smoothing, 1.0 / static_cast<double>(labels.size(0))})
            .loss;
    if (backward) out.backward();
    return out.item<double>();
  }
};

double relative(double got, double want) {
  return std::abs(got - want) / std::max(1.0, std::abs(want));
}

class Parity : public ::testing::TestWithParam<std::string> {};

void expect_logits(const GoldenRun& run, const nlohmann::json& golden, double tolerance) {
  const at::NoGradGuard no_grad;
  const at::Tensor logits = run.model->logits(run.hidden_TM).to(at::kDouble);
  const at::Tensor lse = at::logsumexp(logits, {1});
  const auto rows = static_cast<std::int64_t>(golden.at("logits").size());
  ASSERT_EQ(logits.size(0), rows);
  double largest = 0;
  double scale = 0;
  for (std::int64_t t = 0; t < rows; ++t) {
    const auto& row = golden.at("logits")[static_cast<std::size_t>(t)];
    for (std::size_t v = 0; v < row.size(); ++v) {
      const double want = row[v];
      scale = std::max(scale, std::abs(want));
      largest = std::max(largest,
                         std::abs(logits[t][static_cast<std::int64_t>(v)].item<double>() - want));
    }
    EXPECT_LE(relative(lse[t].item<double>(), golden.at("logsumexp")[static_cast<std::size_t>(t)]),
              tolerance);
  }
  EXPECT_LE(largest / scale, tolerance);
}

void expect_gradients(const GoldenRun& run, double tolerance) {
  const auto& gradients = run.golden.at("gradients");
  for (const Parameter& parameter : run.store->parameters()) {
    const at::Tensor gradient = parameter.compute.grad();
    if (!parameter.is_used) {
      EXPECT_FALSE(gradient.defined()) << parameter.name;
      continue;
    }
    ASSERT_TRUE(gradient.defined()) << parameter.name;
    const auto& want = gradients.at(parameter.name);
    const double norm = want.at("norm");
    EXPECT_LE(std::abs(gradient.norm().item<double>() - norm), tolerance * std::max(norm, 1e-3))
        << parameter.name;
    const at::Tensor flat = gradient.reshape({-1});
    for (std::size_t i = 0; i < want.at("first").size(); ++i) {
      EXPECT_NEAR(flat[static_cast<std::int64_t>(i)].item<double>(),
                  want.at("first")[i].get<double>(), tolerance * std::max(norm, 1e-3))
          << parameter.name << " element " << i;
    }
  }
}

TEST_P(Parity, Float64MatchesTheReferenceInLossLogitsAndGradients) {
  GoldenRun run(GetParam(), at::kDouble);
  EXPECT_EQ(run.store->num_elements(), run.golden.at("parameter_count").get<std::int64_t>());
  expect_logits(run, run.golden, 1e-9);
  EXPECT_LE(relative(run.loss(0.0), run.golden.at("loss")), 1e-9);
  EXPECT_LE(relative(run.loss(0.1, /*backward=*/true), run.golden.at("smoothed_loss")), 1e-9);
  expect_gradients(run, 1e-9);
}

TEST_P(Parity, Float32MatchesTheReferenceInLossLogitsAndGradients) {
  GoldenRun run(GetParam(), at::kFloat);
  expect_logits(run, run.golden, 1e-5);
  EXPECT_LE(relative(run.loss(0.0), run.golden.at("loss")), 1e-5);
  EXPECT_LE(relative(run.loss(0.1, /*backward=*/true), run.golden.at("smoothed_loss")), 1e-5);
  expect_gradients(run, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Small, Parity,
                         ::testing::Values("model_compat_vanilla", "model_compat_linear_k8",
                                           "model_compat_encoder_vanilla",
                                           "model_compat_encoder_linear_k8", "model_vanilla_pre",
                                           "model_vanilla_post_untied", "model_linear_k8",
                                           "model_linear_k24", "model_segment_k4",
                                           "model_segment_k24"),
                         [](const auto& info) { return info.param; });

class BaseSize : public ::testing::TestWithParam<std::string> {};

TEST_P(BaseSize, Float32ForwardMatchesTheReference) {
  GoldenRun run(GetParam(), at::kFloat);
  EXPECT_EQ(run.store->num_elements(), run.golden.at("parameter_count").get<std::int64_t>());
  expect_logits(run, run.golden, 1e-5);
  EXPECT_LE(relative(run.loss(0.0), run.golden.at("loss")), 1e-5);
  EXPECT_LE(relative(run.loss(0.1), run.golden.at("smoothed_loss")), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Compatibility, BaseSize,
                         ::testing::Values("model_base_compat_vanilla",
                                           "model_base_compat_linear_k32"),
                         [](const auto& info) { return info.param; });

ModelConfig small_config(ModelType type, Projection projection, std::int64_t k) {
  ModelConfig config;
  config.type = type;
  config.projection = projection;
  config.projected_length = k;
  config.model_dim = 32;
  config.ffn_dim = 48;
  config.num_heads = 4;
  config.num_layers = 2;
  config.vocab_size = 50;
  config.max_length = 40;
  config.dropout = 0.0;
  return config;
}

std::vector<ModelConfig> all_kinds() {
  std::vector<ModelConfig> out{small_config(ModelType::kTransformer, Projection::kLinear, 0),
                               small_config(ModelType::kLinformer, Projection::kLinear, 5),
                               small_config(ModelType::kLinformer, Projection::kSegment, 5)};
  ModelConfig original = out[1];
  original.compatibility = true;
  original.norm = NormPlacement::kPost;
  original.tie_embeddings = false;
  original.projection_init = ProjectionInit::kSeed;
  out.push_back(original);
  return out;
}

PackedSequences sequences(const std::vector<std::vector<std::int64_t>>& rows) {
  return golden_side(nlohmann::json(rows));
}

TEST(Transformer, StepsGiveWhatTheParallelFormGives) {
  const at::NoGradGuard no_grad;
  for (const ModelConfig& config : all_kinds()) {
    ParameterStore store(at::kCPU, at::kDouble, 3);
    Transformer model(config, store);
    const PackedSequences source =
        sequences({{0, 7, 8, 9, 2}, {0, 5, 2}, {0, 4, 5, 6, 7, 8, 9, 10, 2}});
    std::vector<std::vector<std::int64_t>> targets(3);
    for (std::int64_t b = 0; b < 3; ++b) {
      targets[static_cast<std::size_t>(b)].push_back(0);
      for (std::int64_t t = 1; t < 37; ++t)
        targets[static_cast<std::size_t>(b)].push_back((b * 13 + t * 7) % 50);
    }
    const at::Tensor memory = model.encode(source);
    const at::Tensor parallel = model.decode(sequences(targets), memory, source).view({3, 37, -1});
    DecoderState state = model.start(memory, source);
    for (std::int64_t t = 0; t < 37; ++t) {
      std::vector<std::int64_t> ids;
      for (const auto& target : targets) ids.push_back(target[static_cast<std::size_t>(t)]);
      const at::Tensor ids_B = at::from_blob(ids.data(), {3}, at::TensorOptions(at::kLong)).clone();
      const at::Tensor hidden = model.step(ids_B, state);
      ASSERT_LE((hidden - parallel.select(1, t)).abs().max().item<double>(), 1e-12)
          << "position " << t;
    }
  }
}

TEST(Transformer, NoOutputDependsOnALaterTargetToken) {
  const at::NoGradGuard no_grad;
  for (const ModelConfig& config : all_kinds()) {
    ParameterStore store(at::kCPU, at::kFloat, 3);
    Transformer model(config, store);
    const PackedSequences source = sequences({{0, 7, 8, 9, 2}});
    const at::Tensor memory = model.encode(source);
    const at::Tensor one = model.decode(sequences({{0, 4, 5, 6, 7, 8}}), memory, source);
    const at::Tensor two = model.decode(sequences({{0, 4, 5, 49, 48, 47}}), memory, source);
    EXPECT_EQ((one - two).narrow(0, 0, 3).abs().max().item<double>(), 0.0);
    EXPECT_GT((one - two).narrow(0, 3, 3).abs().max().item<double>(), 0.0);
  }
}

TEST(Transformer, BatchMatesChangeARowByRoundingOnly) {
  const at::NoGradGuard no_grad;
  for (const ModelConfig& config : all_kinds()) {
    ParameterStore store(at::kCPU, at::kFloat, 3);
    Transformer model(config, store);
    const at::Tensor alone = model.encode(sequences({{0, 7, 8, 2}}));
    const at::Tensor mixed =
        model.encode(sequences({{0, 7, 8, 2}, {0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 2}}));
    EXPECT_LE((alone - mixed.narrow(0, 0, 4)).abs().max().item<double>(), 1e-5);
  }
}

TEST(Transformer, LinformerWithIdentityProjectionsOfFullLengthIsVanilla) {
  const at::NoGradGuard no_grad;
  for (const Projection projection : {Projection::kLinear, Projection::kSegment}) {
    ParameterStore vanilla_store(at::kCPU, at::kDouble, 3);
    Transformer vanilla(small_config(ModelType::kTransformer, Projection::kLinear, 0),
                        vanilla_store);
    ParameterStore store(at::kCPU, at::kDouble, 3);
    Transformer model(small_config(ModelType::kLinformer, projection, 40), store);
    const PackedSequences source =
        sequences({{0, 7, 8, 9, 2}, {0, 5, 2}, {0, 4, 5, 6, 7, 8, 9, 10, 2}});
    const at::Tensor difference = model.encode(source) - vanilla.encode(source);
    EXPECT_LE(difference.abs().max().item<double>(), 1e-12);
  }
}

TEST(Transformer, WithFullCrossAttentionTheDecoderIsVanilla) {
  const at::NoGradGuard no_grad;
  for (const Projection projection : {Projection::kLinear, Projection::kSegment}) {
    ModelConfig config = small_config(ModelType::kLinformer, projection, 5);
    config.cross_attention = CrossAttention::kFull;
    ParameterStore store(at::kCPU, at::kFloat, 3);
    Transformer model(config, store);
    EXPECT_EQ(static_cast<double>(store.num_elements()), parameter_count(config));
    ParameterStore vanilla_store(at::kCPU, at::kFloat, 4);
    Transformer vanilla(small_config(ModelType::kTransformer, Projection::kLinear, 0),
                        vanilla_store);
    for (const Parameter& parameter : vanilla_store.parameters()) {
      parameter.master.copy_(store.find(parameter.name)->master);
    }
    const PackedSequences source = sequences({{0, 4, 5, 6, 7, 8, 9, 10, 2}, {0, 5, 2}});
    const PackedSequences target = sequences({{0, 9, 8, 7, 6, 5, 4, 3}, {0, 4}});
    const at::Tensor memory = model.encode(source);
    EXPECT_TRUE(
        at::equal(model.decode(target, memory, source), vanilla.decode(target, memory, source)));
    EXPECT_GT((memory - vanilla.encode(source)).abs().max().item<double>(), 1e-3)
        << "the encoder shortens";
  }
}

TEST(Transformer, ASourceLongerThanMaxLengthIsRefusedByLinearProjectionsAlone) {
  const at::NoGradGuard no_grad;
  std::vector<std::int64_t> row(41, 7);
  const PackedSequences source = sequences({row});
  for (const ModelConfig& config : all_kinds()) {
    ParameterStore store(at::kCPU, at::kFloat, 3);
    Transformer model(config, store);
    if (config.is_linformer() && config.projection == Projection::kLinear) {
      EXPECT_THROW(model.encode(source), c10::Error);
    } else {
      EXPECT_EQ(model.encode(source).size(0), 41);
    }
  }
}

TEST(Transformer, UnfusedAttentionComputesTheSame) {
  const at::NoGradGuard no_grad;
  for (const ModelConfig& config : all_kinds()) {
    ParameterStore store(at::kCPU, at::kFloat, 3);
    Transformer model(config, store);
    const PackedSequences source =
        sequences({{0, 7, 8, 2}, {0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 2}});
    const PackedSequences target = sequences({{0, 9, 8, 7, 6}, {0, 4}});
    const at::Tensor fused = model.decode(target, model.encode(source), source);
    const ForwardOptions unfused{.training = false, .backend = AttentionBackend::kUnfused};
    const at::Tensor plain = model.decode(target, model.encode(source, unfused), source, unfused);
    EXPECT_LE((fused - plain).abs().max().item<double>(), 1e-5);
  }
}

TEST(Transformer, SelectedHypothesesGoOnAsIfAlone) {
  const at::NoGradGuard no_grad;
  for (const ModelConfig& config : all_kinds()) {
    ParameterStore store(at::kCPU, at::kDouble, 3);
    Transformer model(config, store);
    const PackedSequences source = sequences({{0, 7, 8, 9, 2}, {0, 5, 2}});
    DecoderState both = model.start(model.encode(source), source);
    model.step(at::zeros({2}, at::kLong), both);
    both.select(at::full({1}, 1, at::kLong));
    const at::Tensor kept = model.step(at::full({1}, 11, at::kLong), both);
    const PackedSequences second = sequences({{0, 5, 2}});
    DecoderState alone = model.start(model.encode(second), second);
    model.step(at::zeros({1}, at::kLong), alone);
    const at::Tensor want = model.step(at::full({1}, 11, at::kLong), alone);
    EXPECT_LE((kept - want).abs().max().item<double>(), 1e-12);
  }
}

}  // namespace
}  // namespace linformer
