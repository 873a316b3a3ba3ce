// SPDX-License-Identifier: Apache-2.0
// Training steps of the original's model at base size (6 + 6 layers, width 512, 50,272 entries) on
// 24 batches of 88 pairs, whose lengths have means of 31 and 59 tokens; time is of all of them, the
// last one's loss read by the host. LINFORMER_LENGTHS names a file of "source target" lines to take
// the lengths from. --benchmark_repetitions=N gives medians.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <vector>

#include "data/batch_loader.h"
#include "ops/device.h"
#include "training/step_runner.h"

namespace linformer {
namespace {

constexpr std::size_t kBatches = 24;
constexpr std::size_t kPairs = 88;
constexpr std::int64_t kVocabulary = 50272;
constexpr std::int64_t kMaxLength = 256;

struct Lengths {
  std::vector<std::int64_t> source;
  std::vector<std::int64_t> target;
};

Lengths read_lengths(const char* path) {
  Lengths out;
  std::ifstream file(path);
  for (std::int64_t source = 0, target = 0; file >> source >> target;) {
    out.source.push_back(source);
    out.target.push_back(target);
  }
  return out;
}

std::int64_t log_normal(std::mt19937_64& random, double mean) {
  constexpr double kVariation = 0.65;  // standard deviation over mean
  const double sigma = std::sqrt(std::log(1 + kVariation * kVariation));
  std::lognormal_distribution<double> distribution(std::log(mean) - sigma * sigma / 2, sigma);
  return std::clamp<std::int64_t>(std::llround(distribution(random)), 2, kMaxLength);
}

Lengths draw_lengths() {
  Lengths out;
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < kBatches * kPairs; ++i) {
    out.source.push_back(log_normal(random, 31));
    out.target.push_back(log_normal(random, 59));
  }
  return out;
}

void append_ids(IdRows& rows, std::int64_t length, std::mt19937_64& random) {
  for (std::int64_t i = 0; i < length; ++i) {
    rows.ids.push_back(static_cast<std::int64_t>(random() % (kVocabulary - 4)) + 4);
  }
  rows.lengths.push_back(length);
}

std::vector<StepBatches> make_batches() {
  const char* path = std::getenv("LINFORMER_LENGTHS");
  const Lengths lengths = path != nullptr ? read_lengths(path) : draw_lengths();
  std::vector<StepBatches> out(lengths.source.size() / kPairs);
  std::mt19937_64 random(2);
  for (std::size_t b = 0; b < out.size(); ++b) {
    HostBatch& batch = out[b].batches.emplace_back();
    for (std::size_t i = b * kPairs; i < (b + 1) * kPairs; ++i) {
      append_ids(batch.source, lengths.source[i], random);
      append_ids(batch.decoder_input, lengths.target[i], random);
    }
    batch.labels = batch.decoder_input.ids;
    std::rotate(batch.labels.begin(), batch.labels.begin() + 1, batch.labels.end());
    out[b].target_tokens = batch.decoder_input.tokens();
  }
  return out;
}

RunConfig make_config(bool compatibility, std::int64_t slots, Projection projection) {
  RunConfig config;
  config.model.type = slots > 0 ? ModelType::kLinformer : ModelType::kTransformer;
  config.model.projection = projection;
  config.model.projected_length = slots;
  config.model.max_length = kMaxLength;
  config.model.vocab_size = kVocabulary;
  config.model.compatibility = compatibility;
  config.model.tie_embeddings = !compatibility;
  config.model.norm = compatibility ? NormPlacement::kPost : NormPlacement::kPre;
  config.model.dropout = compatibility ? 0.0 : 0.1;
  config.training.label_smoothing = compatibility ? 0.0 : 0.1;
  config.training.gradient_clip = compatibility ? 0.0 : 1.0;
  if (compatibility) config.model.projection_init = ProjectionInit::kSeed;
  return config;
}

void train(benchmark::State& state, const RunConfig& config,
           const std::vector<StepBatches>& batches) {
  const DeviceChoice device = choose_device("auto", "auto", 0);
  ParameterStore store(device.device, device.dtype, 1);
  Transformer model(config.model, store);
  Optimizer optimizer(store, config.training);
  StepRunner runner(model, store, optimizer, config);
  std::int64_t step = 0;
  double loss = 0;
  // As in training, only a logged step's loss is waited for: that of the last batch.
  const auto run = [&](const StepBatches& batch) {
    const auto [sums, outcome] = runner.run(batch, step++, 1e-4);
    if (&batch == &batches.back()) {
      loss = sums.nll_sum.item<double>() / static_cast<double>(sums.target_tokens);
    }
    return sums.source_tokens + sums.target_tokens;
  };
  reset_peak_memory(device.device);
  const std::size_t rounds = device.device.is_cuda() ? 2 : 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    for (const StepBatches& batch : batches) run(batch);
  }
  std::int64_t tokens = 0;
  std::size_t turn = 0;
  for (auto _ : state) tokens += run(batches[turn++ % batches.size()]);
  state.SetItemsProcessed(tokens);
  state.counters["peak_GB"] = static_cast<double>(peak_memory(device.device)) / 1e9;
  state.counters["nll"] = loss;
}

void register_all(const std::vector<StepBatches>& batches) {
  struct Case {
    const char* name;
    RunConfig config;
  };
  const std::vector<Case> cases{
      {"original_vanilla", make_config(true, 0, Projection::kLinear)},
      {"original_k32", make_config(true, 32, Projection::kLinear)},
      {"corrected_vanilla", make_config(false, 0, Projection::kLinear)},
      {"corrected_linear_k16", make_config(false, 16, Projection::kLinear)},
      {"corrected_segment_k16", make_config(false, 16, Projection::kSegment)}};
  for (const Case& entry : cases) {
    benchmark::RegisterBenchmark(
        entry.name,
        [entry, &batches](benchmark::State& state) { train(state, entry.config, batches); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->Iterations(static_cast<std::int64_t>(batches.size()));
  }
}

}  // namespace
}  // namespace linformer

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const auto batches = linformer::make_batches();
  linformer::register_all(batches);
  benchmark::RunSpecifiedBenchmarks();
  // Static objects of torch's CUDA libraries do not always survive one another's destructors.
  std::cout.flush();
  std::_Exit(0);
}
