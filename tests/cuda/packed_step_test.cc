// SPDX-License-Identifier: Apache-2.0
#include "training/packed_step.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ops/device.h"
#include "support/tiny_model.h"
#include "training/step_runner.h"

namespace linformer {
namespace {

RunConfig step_config(const std::string& kind) {
  RunConfig config;
  config.model = tiny_config(kind, 96);
  config.model.model_dim = 128;
  config.model.ffn_dim = 256;
  config.model.num_heads = 4;
  config.training.gradient_clip = 1.0;
  config.training.label_smoothing = 0.1;
  return config;
}

/// Sentences that repeat their source.
StepBatches batch_of(std::uint32_t seed) {
  StepBatches out;
  HostBatch& batch = out.batches.emplace_back();
  for (const std::vector<std::int32_t>& source : random_sources(24, 3, 30, 96, seed)) {
    batch.append(source, source);
  }
  out.target_tokens = batch.decoder_input.tokens();
  return out;
}

struct Training {
  Training(const RunConfig& run_config, at::Device device, at::ScalarType dtype)
      : config(run_config),
        store(device, dtype, 3),
        model(config.model, store),
        optimizer(store, config.training),
        runner(model, store, optimizer, config) {}

  std::vector<double> losses(std::int64_t steps) {
    std::vector<double> out;
    for (std::int64_t step = 0; step < steps; ++step) {
      const StepBatches batch = batch_of(static_cast<std::uint32_t>(step % 5));
      const auto [sums, outcome] = runner.run(batch, step, 3e-3);
      EXPECT_TRUE(std::isfinite(outcome.gradient_norm.item<double>()));
      out.push_back(sums.nll_sum.item<double>() / static_cast<double>(sums.target_tokens));
    }
    return out;
  }

  RunConfig config;
  ParameterStore store;
  Transformer model;
  Optimizer optimizer;
  StepRunner runner;
};

class PackedStepOnGpu : public ::testing::TestWithParam<std::string> {
 protected:
  const at::Device gpu_{at::kCUDA, 0};
};

TEST_P(PackedStepOnGpu, LearnsAsFloat32OnTheCpuDoes) {
  Training gpu(step_config(GetParam()), gpu_, at::kBFloat16);
  Training cpu(step_config(GetParam()), at::kCPU, at::kFloat);
  const std::vector<double> got = gpu.losses(40);
  const std::vector<double> want = cpu.losses(40);
  for (std::size_t step = 0; step < 10; ++step) EXPECT_NEAR(got[step], want[step], 0.02) << step;
  EXPECT_NEAR(got.back(), want.back(), 0.1);
  EXPECT_LT(want.back(), want.front() - 0.5);
}

TEST_P(PackedStepOnGpu, GivesTheSameBitsEveryTimeWithDropout) {
  RunConfig config = step_config(GetParam());
  config.model.dropout = 0.1;
  Training one(config, gpu_, at::kBFloat16);
  Training two(config, gpu_, at::kBFloat16);
  EXPECT_EQ(one.losses(12), two.losses(12));
  for (const Parameter& parameter : one.store.parameters()) {
    EXPECT_TRUE(at::equal(parameter.master, two.store.find(parameter.name)->master))
        << parameter.name;
  }
}

TEST_P(PackedStepOnGpu, DropsOtherElementsInEveryStep) {
  RunConfig config = step_config(GetParam());
  config.model.dropout = 0.3;
  Training training(config, gpu_, at::kBFloat16);
  const auto loss = [&](std::int64_t step) {
    return training.runner.run(batch_of(1), step, 0.0).first.nll_sum.item<double>();
  };
  const std::vector<double> losses{loss(0), loss(1), loss(2), loss(1)};
  EXPECT_NE(losses[0], losses[1]);
  EXPECT_NE(losses[1], losses[2]);
  EXPECT_EQ(losses[1], losses[3]) << "a function of seed and step";
}

TEST_P(PackedStepOnGpu, PadsOfALargeShapeChangeNothing) {
  Training tight(step_config(GetParam()), gpu_, at::kBFloat16);
  Training wide(step_config(GetParam()), gpu_, at::kBFloat16);
  for (std::int64_t step = 0; step < 4; ++step) {
    StepBatches batch = batch_of(1);
    const double want = tight.runner.run(batch, step, 3e-3).first.nll_sum.item<double>();
    batch.batches.front().capacity = {1024, 1024, 60};
    const double got = wide.runner.run(batch, step, 3e-3).first.nll_sum.item<double>();
    EXPECT_NEAR(got, want, 1e-2 * want) << step;
  }
}

TEST_P(PackedStepOnGpu, NonFiniteGradientChangesNothing) {
  Training training(step_config(GetParam()), gpu_, at::kBFloat16);
  training.losses(2);
  const Parameter& first = training.store.parameters().front();
  const at::NoGradGuard no_grad;
  const at::Tensor before = first.master.clone();
  const Parameter& last = training.store.parameters().back();
  last.compute.fill_(std::nan(""));
  const at::AutoGradMode with_gradients(true);
  const auto [sums, outcome] = training.runner.run(batch_of(0), 2, 3e-3);
  EXPECT_FALSE(std::isfinite(outcome.gradient_norm.item<double>()));
  EXPECT_TRUE(at::equal(first.master, before));
}

INSTANTIATE_TEST_SUITE_P(Kinds, PackedStepOnGpu, ::testing::ValuesIn(kTinyKinds));

}  // namespace
}  // namespace linformer
