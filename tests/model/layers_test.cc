// SPDX-License-Identifier: Apache-2.0
#include "model/layers.h"

#include <gtest/gtest.h>

#include "support/tensors.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

ModelConfig config_of(NormPlacement norm, double dropout = 0.0) {
  ModelConfig config = tiny_config("vanilla", 20);
  config.norm = norm;
  config.dropout = dropout;
  return config;
}

at::Tensor normalised(const at::Tensor& x) {
  const at::Tensor centred = x - x.mean(-1).unsqueeze(-1);
  return centred / (centred.pow(2).mean(-1).unsqueeze(-1) + 1e-5).sqrt();
}

Stream stream_of(NormPlacement norm, const at::Tensor& x) {
  return {x, norm == NormPlacement::kPre ? at::Tensor() : x};
}

/// What a stack of layers would end with, but for its norm.
at::Tensor total(NormPlacement norm, const Stream& stream) {
  return norm == NormPlacement::kPre ? stream.residual_TM + stream.branch_TM : stream.branch_TM;
}

PackedSequences rectangle(std::int64_t batch, std::int64_t length) {
  return pack_rectangle(at::zeros({batch, length}, at::TensorOptions(at::kLong)));
}

TEST(LayerNorm, CentresScalesAndAppliesGainAndBias) {
  ParameterStore store(at::kCPU, at::kDouble, 1);
  const LayerNorm norm(16, ParameterScope(store));
  const at::Tensor x = random_tensor({5, 16}, 1) * 3 + 2;
  EXPECT_LE(largest_difference(norm.forward(x), normalised(x)), 1e-12);
  const at::NoGradGuard no_grad;
  store.find("weight")->master.copy_(random_tensor({16}, 2));
  store.find("bias")->master.copy_(random_tensor({16}, 3));
  const at::Tensor want = normalised(x) * random_tensor({16}, 2) + random_tensor({16}, 3);
  EXPECT_LE(largest_difference(norm.forward(x), want), 1e-12);
}

TEST(FeedForward, IsTwoProductsWithAReluBetween) {
  ParameterStore store(at::kCPU, at::kDouble, 1);
  const FeedForward mlp(config_of(NormPlacement::kPre), ParameterScope(store));
  const at::Tensor x = random_tensor({5, 16}, 1);
  const at::Tensor inner = at::matmul(x, store.find("0.weight")->master.t());
  const at::Tensor want = at::matmul(inner * (inner > 0), store.find("2.weight")->master.t());
  EXPECT_LE(largest_difference(mlp.forward(x), want), 1e-12);
}

TEST(Residual, PreNormalisesWhatTheSublayerSeesAndPostWhatLeaves) {
  const at::Tensor x = random_tensor({5, 16}, 1) * 3;
  const auto sublayer = [](const at::Tensor& z) { return z * z; };
  ParameterStore store(at::kCPU, at::kDouble, 1);
  const Residual pre(config_of(NormPlacement::kPre), ParameterScope(store) / "pre");
  const Residual post(config_of(NormPlacement::kPost), ParameterScope(store) / "post");
  const Stream first = pre.forward({x, {}}, false, sublayer);
  EXPECT_EQ(largest_difference(first.residual_TM, x), 0.0);
  EXPECT_LE(largest_difference(first.branch_TM, normalised(x).pow(2)), 1e-12);
  const Stream second = pre.forward({x, 2 * x}, false, sublayer);
  EXPECT_LE(largest_difference(second.residual_TM, 3 * x), 1e-12);
  EXPECT_LE(largest_difference(second.branch_TM, normalised(3 * x).pow(2)), 1e-12);
  const Stream posted = post.forward({x, x}, false, sublayer);
  EXPECT_LE(largest_difference(posted.branch_TM, normalised(x * x + x)), 1e-12);
  EXPECT_EQ(largest_difference(posted.residual_TM, posted.branch_TM), 0.0);
}

TEST(StackEnds, AddNormaliseAndDropWherePreAndPassOnWherePost) {
  ParameterStore store(at::kCPU, at::kDouble, 1);
  const StackEnds pre(config_of(NormPlacement::kPre, 0.5), ParameterScope(store) / "pre");
  const at::Tensor x = random_tensor({50, 16}, 1);
  EXPECT_EQ(largest_difference(pre.begin(x).residual_TM, x), 0.0);
  EXPECT_LE(largest_difference(pre.end(pre.begin(x), false), normalised(x)), 1e-12);
  EXPECT_LE(largest_difference(pre.end({x, x.pow(2)}, false), normalised(x + x.pow(2))), 1e-12);
  EXPECT_GT(largest_difference(pre.end({x, x.pow(2)}, true), normalised(x + x.pow(2))), 1e-3);
  const StackEnds post(config_of(NormPlacement::kPost, 0.5), ParameterScope(store) / "post");
  EXPECT_EQ(largest_difference(post.end(post.begin(x), true), x), 0.0);
  EXPECT_EQ(store.find("post.norm.weight"), nullptr);
}

TEST(Residual, DropsTheSublayersOutputInTrainingOnlyAndNeverTheStream) {
  ParameterStore store(at::kCPU, at::kDouble, 1);
  const Residual residual(config_of(NormPlacement::kPre, 0.5), ParameterScope(store));
  const at::Tensor x = random_tensor({50, 16}, 1);
  const auto same = [](const at::Tensor& z) { return z; };
  const Stream stream{x, at::ones_like(x)};
  EXPECT_LE(largest_difference(residual.forward(stream, false, same).residual_TM, x + 1), 1e-12);
  const at::Tensor added = residual.forward(stream, true, same).residual_TM - x;
  EXPECT_LE((added * (added - 2)).abs().max().item<double>(), 1e-12) << "either dropped or doubled";
  EXPECT_NEAR(added.mean().item<double>(), 1.0, 0.25);
}

TEST(EncoderLayer, PreWithZeroWeightsIsTheIdentityAndPostWithUnitNormsNormalises) {
  const at::Tensor x = random_tensor({6, 16}, 1);
  ParameterStore store(at::kCPU, at::kDouble, std::nullopt);
  const EncoderLayer pre(config_of(NormPlacement::kPre), ParameterScope(store) / "pre");
  const Stream same = pre.forward({x, {}}, rectangle(2, 3), {});
  EXPECT_EQ(largest_difference(total(NormPlacement::kPre, same), x), 0.0);
  const EncoderLayer post(config_of(NormPlacement::kPost), ParameterScope(store) / "post");
  store.find("post.norm1.weight")->master.detach().fill_(1.0);
  store.find("post.norm2.weight")->master.detach().fill_(1.0);
  EXPECT_LE(largest_difference(post.forward({x, x}, rectangle(2, 3), {}).branch_TM,
                               normalised(normalised(x))),
            1e-12);
}

TEST(DecoderLayer, StepsGiveWhatForwardGives) {
  const at::NoGradGuard no_grad;
  for (const NormPlacement norm : {NormPlacement::kPre, NormPlacement::kPost}) {
    ParameterStore store(at::kCPU, at::kDouble, 1);
    const DecoderLayer layer(config_of(norm), ParameterScope(store));
    const at::Tensor y = random_tensor({2 * 5, 16}, 1);
    at::Tensor memory = random_tensor({2 * 3, 16}, 2);
    const at::Tensor want =
        total(norm, layer.forward(stream_of(norm, y), rectangle(2, 5), memory, rectangle(2, 3), {}))
            .view({2, 5, 16});
    LayerState state{at::zeros({2, 2, 5, 8}, y.options()), at::zeros({2, 2, 5, 8}, y.options()),
                     layer.project_memory(memory, rectangle(2, 3))};
    for (std::int64_t t = 0; t < 5; ++t) {
      const Stream got = layer.step(stream_of(norm, y.view({2, 5, 16}).select(1, t)), state, t);
      EXPECT_LE(largest_difference(total(norm, got), want.select(1, t)), 1e-12) << t;
    }
  }
}

}  // namespace
}  // namespace linformer
