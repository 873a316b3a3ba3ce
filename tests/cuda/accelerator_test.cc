// SPDX-License-Identifier: Apache-2.0
// Kernels of our own against the same in float64 on the CPU; inputs are rounded to bfloat16 first.
#include "ops/accelerator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "model/linformer_attention.h"
#include "ops/embed.h"
#include "ops/layer_norm.h"
#include "ops/length_projection.h"
#include "ops/linear.h"
#include "ops/linear_cross_entropy.h"
#include "ops/packed_attention.h"
#include "support/tensors.h"

namespace linformer {
namespace {

constexpr double kTolerance = 6e-3;  // of a bfloat16 result, by norm: rounding alone gives 2e-3

/// A pair of equal tensors: bfloat16 on the GPU and float64 on the CPU; leaves.
struct Twin {
  Twin(at::IntArrayRef shape, std::uint64_t seed, double scale = 1.0) {
    const at::Tensor rounded = (random_tensor(shape, seed) * scale).to(at::kBFloat16);
    gpu = rounded.to(at::Device(at::kCUDA, 0)).set_requires_grad(true);
    cpu = rounded.to(at::kDouble).set_requires_grad(true);
  }
  at::Tensor gpu;
  at::Tensor cpu;
};

double relative_error(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor host = got.detach().to(at::kCPU).to(at::kDouble);
  const at::Tensor reference = want.detach();
  EXPECT_EQ(host.sizes(), reference.sizes());
  const double norm = reference.norm().item<double>();
  const double error = (host - reference).norm().item<double>() / (norm > 0 ? norm : 1.0);
  return std::isfinite(error) ? error : 1e9;
}

at::Tensor starts_of(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int32_t> out{0};
  for (const std::int64_t length : lengths) {
    out.push_back(out.back() + static_cast<std::int32_t>(length));
  }
  return at::from_blob(out.data(), {static_cast<std::int64_t>(out.size())},
                       at::TensorOptions(at::kInt))
      .to(at::Device(at::kCUDA, 0));
}

class AcceleratorTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(accelerator_of(at::Device(at::kCUDA, 0)), nullptr); }
};

struct NormTwins {
  Twin x;
  Twin y;
  Twin weight;
  Twin bias;
  Twin upstream;
  Twin other;
};
NormTwins norm_twins(std::int64_t rows, std::int64_t width) {
  return {Twin({rows, width}, 1), Twin({rows, width}, 2), Twin({width}, 3),
          Twin({width}, 4),       Twin({rows, width}, 5), Twin({rows, width}, 6)};
}

TEST_F(AcceleratorTest, LayerNormWithAndWithoutAResidual) {
  for (const std::int64_t width : {64, 512, 520, 1024}) {
    SCOPED_TRACE(width);
    const std::int64_t rows = 331;
    const auto [x, y, weight, bias, upstream, other] = norm_twins(rows, width);
    const auto run = [&](const auto& pick) {
      const AddedNorm added =
          add_layer_norm(pick(x), {.y_TM = pick(y)}, pick(weight), pick(bias), 1e-5);
      const AddedNorm passed = add_layer_norm(added.out_TM, {}, pick(weight), pick(bias), 1e-5);
      (added.again_TM * pick(upstream) + passed.out_TM * pick(other) +
       passed.sum_TM * pick(upstream))
          .sum()
          .backward();
      return passed.out_TM;
    };
    const at::Tensor got = run([](const Twin& twin) { return twin.gpu; });
    const at::Tensor want = run([](const Twin& twin) { return twin.cpu; });
    EXPECT_LT(relative_error(got, want), 2 * kTolerance);
    for (const Twin* twin : {&x, &y, &weight, &bias}) {
      EXPECT_LT(relative_error(twin->gpu.grad(), twin->cpu.grad()), 2 * kTolerance);
    }
  }
}

TEST_F(AcceleratorTest, LayerNormDropsFromWhatIsAdded) {
  for (const std::int64_t width : {64, 512, 520, 1024}) {
    SCOPED_TRACE(width);
    const std::int64_t rows = 331;
    const double probability = 0.25;
    const auto [x, y, weight, bias, upstream, other] = norm_twins(rows, width);
    const auto added = [&](const at::Tensor& from, const at::Tensor& to) {
      return add_layer_norm(from, {to, probability}, weight.gpu, bias.gpu, 1e-5);
    };
    // The mask shows where nothing is added to; the same seed gives the same one again.
    at::manual_seed(11);
    const at::Tensor zeros = at::zeros_like(x.gpu);
    const at::Tensor ones = at::ones_like(x.gpu);
    const at::Tensor mask =
        added(zeros, ones).sum_TM.detach().to(at::kCPU).to(at::kDouble).gt(0).to(at::kDouble);
    const at::Tensor next =
        added(zeros, ones).sum_TM.detach().to(at::kCPU).to(at::kDouble).gt(0).to(at::kDouble);
    EXPECT_NEAR(mask.mean().item<double>(), 1 - probability, 0.02);
    EXPECT_NEAR((mask - next).abs().mean().item<double>(), 2 * probability * (1 - probability),
                0.02)
        << "the next mask is another, and independent";
    const auto neighbours = mask.narrow(1, 0, width - 1) * mask.narrow(1, 1, width - 1);
    EXPECT_NEAR(neighbours.mean().item<double>(), (1 - probability) * (1 - probability), 0.03);

    at::manual_seed(11);
    const AddedNorm got = added(x.gpu, y.gpu);
    const AddedNorm want = add_layer_norm(x.cpu, {.y_TM = y.cpu * mask / (1 - probability)},
                                          weight.cpu, bias.cpu, 1e-5);
    EXPECT_LT(relative_error(got.sum_TM, want.sum_TM), kTolerance);
    EXPECT_LT(relative_error(got.out_TM, want.out_TM), 2 * kTolerance);
    (got.out_TM * upstream.gpu + got.sum_TM * other.gpu).sum().backward();
    (want.out_TM * upstream.cpu + want.sum_TM * other.cpu).sum().backward();
    for (const Twin* twin : {&x, &y, &weight, &bias}) {
      EXPECT_LT(relative_error(twin->gpu.grad(), twin->cpu.grad()), 2 * kTolerance);
    }
    EXPECT_EQ((y.gpu.grad().to(at::kCPU).to(at::kDouble) * (1 - mask)).abs().max().item<double>(),
              0.0);
  }
}

TEST_F(AcceleratorTest, EmbeddingSumsTheRowsOfAnId) {
  for (const std::int64_t width : {64, 512, 1032}) {
    const std::int64_t rows = 1500;
    const Twin weight({40, width}, 1);
    const Twin positions({50, width}, 2);
    const Twin upstream({rows, width}, 3);
    const at::Tensor ids = at::randint(0, 38, {rows}, at::TensorOptions(at::kLong));
    const at::Tensor places = at::randint(0, 50, {rows}, at::TensorOptions(at::kLong));
    const auto narrow = [](const at::Tensor& x) {
      return x.to(at::kInt).to(at::Device(at::kCUDA, 0));
    };
    const at::Tensor got =
        embed(weight.gpu, narrow(ids), positions.gpu.detach(), narrow(places), 2.0);
    const at::Tensor want = embed(weight.cpu, ids, positions.cpu.detach(), places, 2.0);
    (got * upstream.gpu).sum().backward();
    (want * upstream.cpu).sum().backward();
    EXPECT_LT(relative_error(got, want), kTolerance);
    EXPECT_LT(relative_error(weight.gpu.grad(), weight.cpu.grad()), kTolerance);
    EXPECT_EQ(weight.gpu.grad().narrow(0, 38, 2).abs().max().item<double>(), 0.0);
  }
}

/// Values and gradients of `function`, of twins, to a tensor.
void expect_same(const std::vector<const Twin*>& inputs, const Twin& upstream,
                 const std::function<at::Tensor(const std::vector<at::Tensor>&)>& function) {
  std::vector<at::Tensor> on_gpu;
  std::vector<at::Tensor> on_cpu;
  for (const Twin* twin : inputs) {
    on_gpu.push_back(twin->gpu);
    on_cpu.push_back(twin->cpu);
    twin->gpu.mutable_grad().reset();
    twin->cpu.mutable_grad().reset();
  }
  const at::Tensor got = function(on_gpu);
  const at::Tensor want = function(on_cpu);
  {
    const std::shared_ptr<void> side = accelerator_of(got.device())->open_side_stream(got.device());
    got.backward(upstream.gpu.detach());
  }
  want.backward(upstream.cpu.detach());
  EXPECT_LT(relative_error(got, want), kTolerance);
  for (const Twin* twin : inputs) {
    EXPECT_LT(relative_error(twin->gpu.grad(), twin->cpu.grad()), kTolerance);
  }
}

TEST_F(AcceleratorTest, Linear) {
  const Twin x({203, 64}, 1);
  const Twin weight({96, 64}, 2);
  expect_same({&x, &weight}, Twin({203, 96}, 3),
              [](const auto& in) { return linformer::linear(in[0], in[1]); });
}

TEST_F(AcceleratorTest, QueriesAndMemoryByOneWeight) {
  const Twin query({203, 64}, 1);
  const Twin memory({75, 64}, 2);
  const Twin weight({192, 64}, 3);
  expect_same({&query, &memory, &weight}, Twin({278, 128}, 4), [](const auto& in) {
    const CrossProjection out = project_cross(in[0], in[1], in[2]);
    return at::cat({at::cat({out.query_TM, out.query_TM}, 1), out.key_value_S2M});
  });
}

TEST_F(AcceleratorTest, MemoryPassesFromReaderToReader) {
  const Twin query({203, 64}, 1);
  const Twin memory({75, 64}, 2);
  const Twin first({192, 64}, 3);
  const Twin second({192, 64}, 4);
  const Twin third({192, 64}, 5);
  expect_same({&query, &memory, &first, &second, &third}, Twin({75, 128}, 6), [](const auto& in) {
    at::Tensor read = in[1];
    at::Tensor sum;
    for (int i = 2; i < 5; ++i) {
      const CrossProjection out = project_cross(in[0], read, in[i]);
      const at::Tensor all = out.key_value_S2M + out.query_TM.narrow(0, 0, 75).repeat({1, 2});
      sum = i == 2 ? all : sum + all;
      read = out.memory_SM;
    }
    return sum;
  });
}

TEST_F(AcceleratorTest, FeedForward) {
  for (const std::int64_t width : {128, 2048, 96}) {
    SCOPED_TRACE(width);
    const Twin x({331, 64}, 1);
    const Twin up({width, 64}, 2, 0.125);
    const Twin down({64, width}, 3, 0.1);
    expect_same({&x, &up, &down}, Twin({331, 64}, 4), [](const auto& in) {
      return feed_forward(in[0], in[1], in[2],
                          at::zeros({in[1].size(0)}, in[1].options().requires_grad(false)));
    });
  }
}

TEST_F(AcceleratorTest, CrossEntropyIgnoresRowsWithoutATarget) {
  for (const bool has_bias : {false, true}) {
    for (const double smoothing : {0.0, 0.1}) {
      const std::int64_t rows = 150;
      const std::int64_t classes = 5048;
      const Twin hidden({rows, 64}, 1);
      const Twin weight({classes, 64}, 2, 0.3);
      const Twin bias({classes}, 3);
      at::Tensor labels = at::randint(0, classes, {rows}, at::TensorOptions(at::kLong));
      const at::Tensor kept = at::arange(rows, at::TensorOptions(at::kLong)).remainder(7).ne(3);
      const double scale = 1.0 / kept.sum().item<double>();
      LinearCrossEntropyInputs reference;
      const at::Tensor chosen = kept.nonzero().squeeze(1);
      reference.hidden_TM = at::index_select(hidden.cpu, 0, chosen);
      reference.weight_VM = weight.cpu;
      if (has_bias) reference.bias_V = bias.cpu;
      reference.targets_T = at::index_select(labels, 0, chosen);
      reference.label_smoothing = smoothing;
      reference.scale = scale;
      const LinearCrossEntropyResult want = linear_cross_entropy(reference);
      want.loss.backward();
      LinearCrossEntropyInputs inputs;
      inputs.hidden_TM = hidden.gpu;
      inputs.weight_VM = weight.gpu;
      if (has_bias) inputs.bias_V = bias.gpu;
      inputs.targets_T = at::where(kept, labels, at::full({}, -1, labels.options()))
                             .to(at::kInt)
                             .to(at::Device(at::kCUDA, 0));
      inputs.label_smoothing = smoothing;
      inputs.device_scale = at::full({}, scale, weight.gpu.options().dtype(at::kFloat));
      inputs.is_root = true;
      const LinearCrossEntropyResult got = linear_cross_entropy(inputs);
      got.loss.backward();
      EXPECT_LT(relative_error(got.loss, want.loss), 1e-3);
      EXPECT_LT(relative_error(got.nll_sum, want.nll_sum), 1e-3);
      EXPECT_LT(relative_error(hidden.gpu.grad(), hidden.cpu.grad()), 2 * kTolerance);
      EXPECT_LT(relative_error(weight.gpu.grad(), weight.cpu.grad()), 2 * kTolerance);
      if (has_bias) {
        EXPECT_LT(relative_error(bias.gpu.grad(), bias.cpu.grad()), 2 * kTolerance);
      }
    }
  }
}

/// Attention of packed sequences through a module, as the model uses it: GPU kernels against padded
/// float64 on the CPU.
void expect_same_attention(const ModelConfig& config) {
  const std::int64_t scale = config.max_length / 40;
  std::vector<std::int64_t> query_lengths{9, 1, 40, 17, 33};
  std::vector<std::int64_t> memory_lengths{21, 38, 2, 40, 7};
  for (auto* lengths : {&query_lengths, &memory_lengths}) {
    for (std::int64_t& length : *lengths) length *= scale;
  }
  ParameterStore gpu_store(at::Device(at::kCUDA, 0), at::kBFloat16, 1);
  ParameterStore cpu_store(at::kCPU, at::kDouble, 1);
  const auto gpu = make_encoder_attention(config, ParameterScope(gpu_store));
  const auto cpu = make_encoder_attention(config, ParameterScope(cpu_store));
  {
    const at::NoGradGuard no_grad;
    std::uint64_t seed = 10;
    for (const Parameter& parameter : gpu_store.parameters()) {
      parameter.master.add_((random_tensor(parameter.master.sizes(), ++seed) * 0.05)
                                .to(at::kFloat)
                                .to(at::Device(at::kCUDA, 0)));
    }
    gpu_store.refresh_shadows();
    for (const Parameter& parameter : gpu_store.parameters()) {
      cpu_store.find(parameter.name)->master.copy_(parameter.compute);
    }
  }
  const auto pack = [&](const std::vector<std::int64_t>& lengths, bool is_gpu) {
    std::int64_t rows = 0;
    for (const std::int64_t length : lengths) rows += length;
    std::vector<std::int64_t> ids(static_cast<std::size_t>(rows), 0);
    if (!is_gpu) return pack_sequences(ids, lengths, at::kCPU);
    const at::Tensor zeros =
        at::zeros({rows}, gpu_store.parameters().front().master.options().dtype(at::kInt));
    return pack_by_starts(zeros, zeros, starts_of(lengths), config.max_length);
  };
  const std::int64_t memory_rows = scale * (21 + 38 + 2 + 40 + 7);
  const Twin x({scale * 100, config.model_dim}, 1);
  const Twin memory({memory_rows, config.model_dim}, 2);
  const Twin upstream({scale * 100, config.model_dim}, 3);
  const auto run = [&](const Attention& attention, const auto& pick, bool is_gpu) {
    const PackedSequences queries = pack(query_lengths, is_gpu);
    const PackedSequences keys = pack(memory_lengths, is_gpu);
    const bool causal = !config.is_linformer();
    const at::Tensor self = attention.self_attention(pick(x), queries, causal, {});
    at::Tensor read_memory = pick(memory);
    const at::Tensor out =
        attention.cross_attention(self + pick(x), queries, read_memory, keys, {});
    (out * pick(upstream)).sum().backward();
    return out;
  };
  const at::Tensor got = run(
      *gpu, [](const Twin& twin) { return twin.gpu; }, true);
  const at::Tensor want = run(
      *cpu, [](const Twin& twin) { return twin.cpu; }, false);
  EXPECT_LT(relative_error(got, want), 2 * kTolerance);
  EXPECT_LT(relative_error(x.gpu.grad(), x.cpu.grad()), 3 * kTolerance);
  EXPECT_LT(relative_error(memory.gpu.grad(), memory.cpu.grad()), 3 * kTolerance);
  for (const Parameter& parameter : gpu_store.parameters()) {
    // The softmax within a segment takes no notice of a bias: its gradient is rounding, or nothing.
    if (!parameter.is_used || parameter.name == "segment_score.bias") continue;
    EXPECT_LT(
        relative_error(parameter.compute.grad(), cpu_store.find(parameter.name)->compute.grad()),
        4 * kTolerance)
        << parameter.name;
  }
}

ModelConfig attention_config(std::int64_t slots, Projection projection, bool compatibility) {
  ModelConfig config;
  config.type = slots > 0 ? ModelType::kLinformer : ModelType::kTransformer;
  config.projected_length = slots;
  config.projection = projection;
  config.compatibility = compatibility;
  config.projection_init = ProjectionInit::kIdentity;
  config.model_dim = 128;
  config.num_heads = 4;
  config.max_length = 40;
  return config;
}

TEST_F(AcceleratorTest, FullAttention) {
  expect_same_attention(attention_config(0, Projection::kLinear, false));
}
TEST_F(AcceleratorTest, LinearProjection) {
  for (const std::int64_t slots : {3, 32, 40}) {
    SCOPED_TRACE(slots);
    expect_same_attention(attention_config(slots, Projection::kLinear, false));
  }
}
TEST_F(AcceleratorTest, LinearProjectionOfTheOriginal) {
  ModelConfig config = attention_config(12, Projection::kLinear, true);
  config.projection_init = ProjectionInit::kSeed;
  expect_same_attention(config);
}
TEST_F(AcceleratorTest, LinearProjectionOfSeveralTilesOfTokensSlotsAndColumns) {
  for (const bool compatibility : {false, true}) {
    ModelConfig config = attention_config(70, Projection::kLinear, compatibility);
    config.projection_init = ProjectionInit::kSeed;
    config.max_length = 240;
    config.model_dim = 640;
    config.num_heads = 10;
    expect_same_attention(config);
  }
}
TEST_F(AcceleratorTest, SegmentPooling) {
  for (const std::int64_t slots : {3, 16, 40}) {
    SCOPED_TRACE(slots);
    expect_same_attention(attention_config(slots, Projection::kSegment, false));
  }
}
TEST_F(AcceleratorTest, SegmentPoolingOfOtherWidths) {
  struct Width {
    std::int64_t model;
    std::int64_t heads;
  };
  for (const auto [model, heads] : {Width{640, 10}, Width{192, 4}, Width{768, 3}, Width{64, 4}}) {
    SCOPED_TRACE(model);
    ModelConfig config = attention_config(7, Projection::kSegment, false);
    config.max_length = 240;
    config.model_dim = model;
    config.num_heads = heads;
    expect_same_attention(config);
  }
}

/// Rows of queries, keys and values of one sequence, [N, H D], in float64.
at::Tensor attend_exactly(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          std::int64_t heads, bool causal) {
  AttentionInputs inputs;
  const auto split = [&](const at::Tensor& x) {
    return x.unflatten(1, {heads, -1}).transpose(0, 1).unsqueeze(0);
  };
  inputs.query_BHND = split(query);
  inputs.key_BHSD = split(key);
  inputs.value_BHSD = split(value);
  inputs.causal = causal;
  inputs.backend = AttentionBackend::kUnfused;
  return attend(inputs).squeeze(0).transpose(0, 1).flatten(1);
}

struct AttentionCase {
  std::int64_t head_width;
  std::int64_t bound;  // above 512: flash attention
  bool causal;
};

class PackedAttentionOnGpu : public ::testing::TestWithParam<AttentionCase> {};

TEST_P(PackedAttentionOnGpu, SelfAttentionIsThatOfEachSequence) {
  const auto [head_width, bound, causal] = GetParam();
  const std::int64_t heads = 3;
  const std::int64_t width = heads * head_width;
  const std::vector<std::int64_t> lengths{1, 64, 200, 65, 0, 17, 130};
  const Twin qkv({477, 3 * width}, 1);
  const Twin upstream({477, width}, 2);
  const AttentionStarts starts{starts_of(lengths), starts_of(lengths), bound, bound};
  const at::Tensor got = attend_packed_self(qkv.gpu, starts, heads, causal);
  (got * upstream.gpu).sum().backward();
  std::vector<at::Tensor> wants;
  std::int64_t row = 0;
  for (const std::int64_t length : lengths) {
    const at::Tensor own = qkv.cpu.narrow(0, row, length);
    row += length;
    if (length == 0) continue;
    wants.push_back(attend_exactly(own.narrow(1, 0, width), own.narrow(1, width, width),
                                   own.narrow(1, 2 * width, width), heads, causal));
  }
  const at::Tensor want = at::cat(wants);
  (want * upstream.cpu).sum().backward();
  EXPECT_LT(relative_error(got, want), kTolerance);
  EXPECT_LT(relative_error(qkv.gpu.grad(), qkv.cpu.grad()), kTolerance);
}

TEST_P(PackedAttentionOnGpu, CrossAttentionIsThatOfEachSequenceAndZeroWithoutKeys) {
  const auto [head_width, bound, causal] = GetParam();
  const std::int64_t heads = 2;
  const std::int64_t width = heads * head_width;
  const std::vector<std::int64_t> queries{3, 70, 5, 129};
  const std::vector<std::int64_t> keys{150, 1, 0, 64};
  const Twin query({207, width}, 1);
  const Twin kv({215, 2 * width}, 2);
  const Twin upstream({207, width}, 3);
  const at::Tensor got = attend_packed_cross(
      query.gpu, kv.gpu, {starts_of(queries), starts_of(keys), bound, bound}, heads);
  (got * upstream.gpu).sum().backward();
  std::vector<at::Tensor> wants;
  std::int64_t row = 0;
  std::int64_t key_row = 0;
  for (std::size_t b = 0; b < queries.size(); ++b) {
    const at::Tensor own = query.cpu.narrow(0, row, queries[b]);
    const at::Tensor own_kv = kv.cpu.narrow(0, key_row, keys[b]);
    row += queries[b];
    key_row += keys[b];
    wants.push_back(keys[b] == 0 ? own * 0
                                 : attend_exactly(own, own_kv.narrow(1, 0, width),
                                                  own_kv.narrow(1, width, width), heads, false));
  }
  const at::Tensor want = at::cat(wants);
  (want * upstream.cpu).sum().backward();
  EXPECT_LT(relative_error(got, want), kTolerance);
  EXPECT_LT(relative_error(query.gpu.grad(), query.cpu.grad()), kTolerance);
  EXPECT_LT(relative_error(kv.gpu.grad(), kv.cpu.grad()), kTolerance);
  EXPECT_EQ(got.narrow(0, 73, 5).abs().max().item<double>(), 0.0);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, PackedAttentionOnGpu,
    ::testing::Values(AttentionCase{64, 200, false}, AttentionCase{64, 256, true},
                      AttentionCase{32, 200, false}, AttentionCase{32, 512, true},
                      AttentionCase{64, 1024, false}, AttentionCase{64, 1024, true},
                      AttentionCase{16, 200, true}));

}  // namespace
}  // namespace linformer
