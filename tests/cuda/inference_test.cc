// SPDX-License-Identifier: Apache-2.0
// Inference without masks, recorded, against float64 on the CPU; inputs are rounded to bfloat16
// first.
#include <gtest/gtest.h>

#include <cmath>

#include "model/transformer.h"
#include "ops/device.h"
#include "ops/head_consumer.h"
#include "ops/length_projection.h"
#include "ops/packed_attention.h"
#include "ops/recorded_work.h"
#include "support/tensors.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

const at::Device kGpu(at::kCUDA, 0);

double relative_error(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor host = got.to(at::kCPU).to(at::kDouble);
  EXPECT_EQ(host.sizes(), want.sizes());
  const double error = (host - want).norm().item<double>() / want.norm().item<double>();
  return std::isfinite(error) ? error : 1e9;
}

at::Tensor rounded(at::IntArrayRef shape, std::uint64_t seed) {
  return random_tensor(shape, seed).to(at::kBFloat16);
}

class InferenceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(accelerator_of(kGpu), nullptr);
    synchronize(kGpu);
    stream_ = accelerator_of(kGpu)->use_own_stream(kGpu);
  }
  void TearDown() override { synchronize(kGpu); }

  const at::NoGradGuard no_grad_;
  std::shared_ptr<void> stream_;
};

/// Queries and keys of every sequence, in the kernels for short sequences and in both for long.
TEST_F(InferenceTest, AttentionOfEqualLengths) {
  struct Case {
    std::int64_t queries;
    std::int64_t keys;
    bool causal;
  };
  const std::int64_t batch = 2;
  const std::int64_t heads = 4;
  for (const Case& shape : {Case{96, 96, false}, Case{96, 96, true}, Case{128, 32, false},
                            Case{700, 700, false}, Case{700, 700, true}, Case{1024, 64, false}}) {
    for (const LongAttentionKernel kernel : {LongAttentionKernel::kFlash, LongAttentionKernel::kCudnn}) {
      SCOPED_TRACE(std::to_string(shape.queries) + " by " + std::to_string(shape.keys));
      const at::Tensor query = rounded({batch * shape.queries, 256}, 1);
      const at::Tensor kv = rounded({batch * shape.keys, 512}, 2);  // side by side
      const auto columns = kv.split(256, 1);
      const at::Tensor got = attend_equal_lengths(
          {.query_TM = query.to(kGpu),
           .key_SM = kv.to(kGpu).narrow(1, 0, 256),
           .value_SM = kv.to(kGpu).narrow(1, 256, 256),
           .query_start_B1 = at::arange(0, query.size(0) + 1, shape.queries,
                                        at::TensorOptions(at::kInt).device(kGpu)),
           .batch = batch,
           .heads = heads,
           .causal = shape.causal,
           .long_attention = kernel});
      const auto split = [&](const at::Tensor& x) {
        return x.to(at::kDouble).view({batch, -1, heads, 64}).transpose(1, 2);
      };
      AttentionInputs inputs;
      inputs.query_BHND = split(query);
      inputs.key_BHSD = split(columns[0].contiguous());
      inputs.value_BHSD = split(columns[1].contiguous());
      inputs.causal = shape.causal;
      EXPECT_LT(relative_error(got, attend(inputs).transpose(1, 2).reshape({-1, 256})), 1e-2);
    }
  }
}

TEST_F(InferenceTest, LongProjectionsAreCutIntoParts) {
  for (const std::int64_t batch : {1, 4}) {
    const at::Tensor weight = rounded({128, 8192}, 1);
    const at::Tensor x = rounded({batch, 8192, 512}, 2);
    const at::Tensor gpu = weight.to(kGpu);
    EXPECT_GT(projection_parts(gpu, x.to(kGpu)), 4);
    const at::Tensor got = project_rectangle(gpu, x.to(kGpu), projection_parts(gpu, x.to(kGpu)));
    EXPECT_LT(relative_error(got, at::matmul(weight.to(at::kDouble), x.to(at::kDouble))), 1e-2);
  }
}

/// A model in bfloat16 on the GPU and one of the same weights in float64.
struct Twins {
  explicit Twins(const ModelConfig& config)
      : gpu_store(kGpu, at::kBFloat16, 3),
        cpu_store(at::kCPU, at::kDouble, 3),
        gpu(config, gpu_store),
        cpu(config, cpu_store) {
    for (const Parameter& parameter : cpu_store.parameters()) {
      parameter.master.copy_(gpu_store.find(parameter.name)->compute.to(at::kCPU));
    }
  }
  ParameterStore gpu_store;
  ParameterStore cpu_store;
  Transformer gpu;
  Transformer cpu;
};

ModelConfig config_of(const std::string& kind) {
  ModelConfig config = tiny_config(kind, 64);
  config.model_dim = 128;
  config.ffn_dim = 256;
  config.projected_length = config.is_linformer() ? 16 : 0;
  config.max_length = 1024;
  return config;
}

TEST_F(InferenceTest, RecordedForwardPassesFollowTheirInputs) {
  for (const std::string& kind : kTinyKinds) {
    for (const std::int64_t length : {48, 640}) {
      SCOPED_TRACE(kind + " " + std::to_string(length));
      Twins twins(config_of(kind));
      const auto ids = [&](std::int64_t seed) {
        return (at::arange(2 * length, at::TensorOptions(at::kLong)) * 7919 + seed)
            .remainder(64)
            .view({2, length});
      };
      const PackedSequences packed = pack_rectangle_by_starts(ids(1).to(kGpu));
      const auto hidden = [](Transformer& model, const PackedSequences& sequences) {
        return model.decode(sequences, model.encode(sequences), sequences);
      };
      RecordedWork work(kGpu, [&] { return hidden(twins.gpu, packed); });
      ASSERT_TRUE(work.is_recorded());
      const at::Tensor first = work.run().clone();
      EXPECT_LT(relative_error(first, hidden(twins.cpu, pack_rectangle(ids(1)))), 4e-2);
      EXPECT_EQ(largest_difference(hidden(twins.gpu, packed).to(at::kFloat), first.to(at::kFloat)),
                0.0)
          << "recorded and plain differ";
      packed.ids_T.copy_(ids(5).flatten().to(at::kInt));
      EXPECT_LT(relative_error(work.run(), hidden(twins.cpu, pack_rectangle(ids(5)))), 4e-2);
    }
  }
}

TEST_F(InferenceTest, HeadsWithTheirConsumers) {
  const HeadInputs host{
      .hidden_TM = rounded({1500, 64}, 1),
      .weight_VM = rounded({8192, 64}, 2),
      .bias_V = rounded({8192}, 3),
      .targets_T = (at::arange(1500, at::TensorOptions(at::kLong)) * 31).remainder(8192)};
  const auto moved = [&](const auto& to) {
    return HeadInputs{to(host.hidden_TM), to(host.weight_VM), to(host.bias_V), host.targets_T};
  };
  HeadInputs gpu = moved([](const at::Tensor& x) { return x.to(kGpu); });
  gpu.targets_T = host.targets_T.to(kGpu);
  const HeadInputs cpu = moved([](const at::Tensor& x) { return x.to(at::kDouble); });
  for (const HeadOutput output : {HeadOutput::kLogits, HeadOutput::kSoftmax, HeadOutput::kNll}) {
    RecordedWork work(kGpu, [&] { return consume_head(gpu, output); });
    EXPECT_LT(relative_error(work.run(), consume_head(cpu, output)),
              output == HeadOutput::kSoftmax ? 8e-2 : 1e-2)
        << static_cast<int>(output);
  }
  const at::Tensor chosen = consume_head(gpu, HeadOutput::kArgmax).to(at::kCPU);
  EXPECT_EQ(chosen.scalar_type(), at::kLong);
  const at::Tensor logits = consume_head(cpu, HeadOutput::kLogits);
  const at::Tensor lost = logits.amax({1}) - logits.gather(1, chosen.unsqueeze(1)).squeeze(1);
  EXPECT_LT(lost.max().item<double>(), 0.5) << "logits of about 32, rounded to 8 bits";
}

TEST_F(InferenceTest, ElapsedTimeIsThatOfTheDevice) {
  const at::Tensor x = at::randn({8192, 8192}, at::TensorOptions(at::kFloat).device(kGpu));
  const auto product = [&] { at::matmul(x, x); };
  product();
  const double one = elapsed_ms(kGpu, product);
  const double four = elapsed_ms(kGpu, [&] {
    for (int i = 0; i < 4; ++i) product();
  });
  EXPECT_GT(one, 0.5);  // 1.1e12 operations
  EXPECT_GT(four, 3 * one);
  EXPECT_LT(four, 6 * one);
}

/// What a run needs is seen while it is recorded.
TEST_F(InferenceTest, PeakMemoryCoversWhatIsRecorded) {
  const at::Tensor x = at::ones({1 << 22}, at::TensorOptions(at::kFloat).device(kGpu));
  reset_peak_memory(kGpu);
  const std::int64_t before = memory_in_use(kGpu);
  RecordedWork work(kGpu, [&] { return (x + 1.0) * 2.0; });
  EXPECT_EQ(work.run()[5].item<float>(), 4.0F);
  const std::int64_t peak = peak_memory(kGpu) - before;
  EXPECT_GE(peak, 2 * 4 * (1 << 22));
  EXPECT_LE(peak, 3 * 4 * (1 << 22));
}

}  // namespace
}  // namespace linformer
