// SPDX-License-Identifier: Apache-2.0
// Training steps with batches of the loader against the same steps on one batch that is always
// there. Usage: loader_bench [BENCHMARK OPTION...] CONFIG TRAIN_CORPUS TOKENIZER [a.b=value ...]
// Ten steps a time; items are real tokens, source and target.
#include <benchmark/benchmark.h>

#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "config/yaml_reader.h"
#include "engine/training_data.h"
#include "ops/device.h"
#include "training/optimizer.h"
#include "training/train_step.h"
#include "training/trainer.h"

namespace {

using namespace linformer;

constexpr int kStepsATurn = 10;
constexpr double kLearningRate = 1e-4;

/// A model in training, without what surrounds it.
class Training {
 public:
  Training(const RunConfig& config, const Tokenizer& tokenizer)
      : config_(config),
        device_(choose_device("auto", "auto", 0)),
        data_(load_training_data(config, tokenizer)),
        store_(device_.device, device_.dtype, config.seed),
        model_(config.model, store_),
        optimizer_(store_, config.training),
        runner_(model_, store_, optimizer_, config_),
        loader_(data_.train, loader_options(config, *data_.train), {}) {
    std::cerr << device_.description << "\n";
  }

  StepBatches next() { return loader_.next(); }

  /// Real tokens of the step.
  std::int64_t step(const StepBatches& batches) {
    const auto [sums, outcome] = runner_.run(batches, ++num_steps_, kLearningRate);
    benchmark::DoNotOptimize(sums.nll_sum.item<double>() + outcome.gradient_norm.item<double>());
    return sums.source_tokens + sums.target_tokens;
  }

 private:
  RunConfig config_;
  DeviceChoice device_;
  TrainingData data_;
  ParameterStore store_;
  Transformer model_;
  Optimizer optimizer_;
  StepRunner runner_;
  BatchLoader loader_;
  std::int64_t num_steps_ = 0;
};

void from_loader(benchmark::State& state, Training& training) {
  std::int64_t tokens = 0;
  for (auto _ : state) {
    for (int i = 0; i < kStepsATurn; ++i) tokens += training.step(training.next());
  }
  state.SetItemsProcessed(tokens);
}

/// `count` batches that are there before time runs, in turn.
void resident(benchmark::State& state, Training& training, std::size_t count) {
  std::vector<StepBatches> batches;
  while (batches.size() < count) batches.push_back(training.next());
  std::int64_t tokens = 0;
  std::size_t turn = 0;
  for (auto _ : state) {
    for (int i = 0; i < kStepsATurn; ++i) tokens += training.step(batches[turn++ % count]);
  }
  state.SetItemsProcessed(tokens);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc < 4) {
    std::cerr << "usage: loader_bench [BENCHMARK OPTION...] CONFIG TRAIN_CORPUS TOKENIZER "
                 "[a.b=value ...]\n";
    return 2;
  }
  try {
    std::vector<std::string> overrides(argv + 4, argv + argc);
    for (const char* key :
         {"train_source", "train_target", "validation", "validation_source", "validation_target"}) {
      overrides.push_back("data." + std::string(key) + "=");
    }
    overrides.push_back("data.train=" + std::string(argv[2]));
    overrides.push_back("training.fixed_capacity=true");
    overrides.push_back("training.validation_bleu=off");
    RunConfig config = load_run_config(argv[1], overrides).config;
    const Tokenizer tokenizer = Tokenizer::load(argv[3]);
    config.model.vocab_size = (tokenizer.vocab_size() + 7) / 8 * 8;
    Training training(config, tokenizer);
    for (int i = 0; i < 2 * kStepsATurn; ++i) training.step(training.next());  // takes memory
    const auto add = [](const char* name, auto run) {
      benchmark::RegisterBenchmark(name, run)->Unit(benchmark::kMillisecond)->UseRealTime();
    };
    add("from_loader", [&](benchmark::State& state) { from_loader(state, training); });
    add("one_resident", [&](benchmark::State& state) { resident(state, training, 1); });
    add("100_resident", [&](benchmark::State& state) { resident(state, training, 100); });
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    std::cerr << "loader_bench: error: " << error.what() << "\n";
    return 1;
  }
}
