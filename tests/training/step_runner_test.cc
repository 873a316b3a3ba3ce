// SPDX-License-Identifier: Apache-2.0
#include "training/step_runner.h"

#include <gtest/gtest.h>

#include "support/tiny_model.h"

namespace linformer {
namespace {

StepBatches two_batches() {
  StepBatches out;
  for (const std::uint32_t seed : {1U, 2U}) {
    HostBatch& batch = out.batches.emplace_back();
    for (const std::vector<std::int32_t>& source : random_sources(4, 3, 9, 24, seed)) {
      batch.append(source, source);
    }
    out.target_tokens += batch.decoder_input.tokens();
  }
  return out;
}

TEST(StepRunner, IsGradientsOfAllBatchesAndAnOptimizerStep) {
  RunConfig config;
  config.seed = 5;
  config.model = tiny_config("linear", 24);
  config.model.dropout = 0.2;
  config.training.label_smoothing = 0.1;
  const StepBatches batches = two_batches();
  const TinyModel by_runner(config.model, at::kFloat);
  Optimizer runner_optimizer(*by_runner.store, config.training);
  StepRunner runner(*by_runner.model, *by_runner.store, runner_optimizer, config);
  const TinyModel by_hand(config.model, at::kFloat);
  Optimizer optimizer(*by_hand.store, config.training);
  for (std::int64_t step = 0; step < 3; ++step) {
    const auto [sums, outcome] = runner.run(batches, step, 1e-2);
    seed_dropout(config.seed, step);
    const StepSums want = accumulate_gradients(*by_hand.model, batches, 0.1, at::kCPU);
    const StepOutcome want_outcome = optimizer.step(1e-2);
    EXPECT_EQ(sums.nll_sum.item<double>(), want.nll_sum.item<double>());
    EXPECT_EQ(sums.source_tokens, want.source_tokens);
    EXPECT_EQ(sums.target_tokens, want.target_tokens);
    EXPECT_EQ(outcome.gradient_norm.item<double>(), want_outcome.gradient_norm.item<double>());
  }
  for (const Parameter& parameter : by_runner.store->parameters()) {
    EXPECT_TRUE(at::equal(parameter.master, by_hand.store->find(parameter.name)->master));
  }
}

}  // namespace
}  // namespace linformer
