// SPDX-License-Identifier: Apache-2.0
// write_logs DIR STEPS [online]: a run of STEPS steps with a checkpoint at its end, cut off and
// resumed halfway, and an evaluation of it, in every format into DIR, for scripts/golden/ to
// compare what the real readers find with metrics.jsonl; online: uploaded meanwhile by the wandb
// program in PATH.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "support/small_checkpoint.h"
#include "tracking/jsonl_sink.h"
#include "tracking/tracking_sinks.h"

namespace linformer {
namespace {

constexpr std::int64_t kValidationEvery = 500;

/// Values over the whole range of doubles, some of them not finite; the same for the same step.
StepRecord step_record(std::int64_t step) {
  std::mt19937_64 random(static_cast<std::uint64_t>(step));
  std::uniform_real_distribution<double> exponent(-30, 30);
  const auto value = [&] { return std::pow(10.0, exponent(random)); };
  StepRecord out{.step = step, .epoch = 1 + step / 1000, .epochs = 9, .progress = 0.5};
  out.loss = step % 997 == 0 ? std::numeric_limits<double>::quiet_NaN() : value();
  out.perplexity = step % 499 == 0 ? std::numeric_limits<double>::infinity() : value();
  out.learning_rate = value();
  out.gradient_norm = step % 331 == 0 ? -std::numeric_limits<double>::infinity() : value();
  out.tokens_per_second = value();
  out.source_tokens = step * 1000003;
  out.target_tokens = step * 999983;
  out.elapsed_seconds = 0.1 * static_cast<double>(step);
  out.memory_bytes = std::int64_t{1} << 33;
  return out;
}

void pass_steps(Sink& sink, std::int64_t first, std::int64_t last) {
  for (std::int64_t step = first; step <= last; ++step) {
    sink.on_step(step_record(step));
    if (step % kValidationEvery != 0) continue;
    const double loss = 1.0 / static_cast<double>(step);
    sink.on_validation({.step = step, .epoch = 1, .loss = loss, .bleu = 18.68, .chrf = 40 + loss});
    sink.on_text(step,
                 "Zwei Stra\xc3\x9f"
                 "en | \"quoted\" -> step " +
                     std::to_string(step) + " " + std::string(step == 1000 ? 100000 : 10, 'x'));
    sink.flush();
  }
}

RunConfig example_config(WandbMode mode) {
  RunConfig config;
  config.seed = 9007199254740993;
  config.data.train =
      "Stra\xc3\x9f"
      "e \"1\".csv";
  config.training.lr_scheduler.min_lr = 1e-9;
  config.tracking = {
      .wandb = mode, .wandb_checkpoint = WandbCheckpoint::kBest, .tensorboard = true};
  return config;
}

/// One process of the run: from the checkpoint of `begin` to `end`.
void train(const std::string& directory, WandbMode mode, std::int64_t begin, std::int64_t end,
           bool is_last) {
  JsonlSink::truncate_after(directory + "/metrics.jsonl", begin);
  Observer observer;
  observer.add(std::make_unique<JsonlSink>(directory + "/metrics.jsonl"));
  add_tracking_sinks(observer, directory, example_config(mode),
                     {.step = begin, .elapsed_seconds = static_cast<double>(begin)});
  pass_steps(observer, begin + 1, end);
  if (!is_last) return;
  save_small_checkpoint(directory, end);
  observer.on_final({.step = end, .reason = "finished", .metric = "loss", .best_step = end});
  observer.flush();
}

void evaluate(const std::string& directory, WandbMode mode, std::int64_t step) {
  EvaluationRecord record;
  record.test_set = "news";
  record.bleu = 18.68;
  record.chrf = 45.5;
  record.perplexity = std::numeric_limits<double>::infinity();
  record.bits_per_byte = 0.75;
  record.step = step;
  track_evaluation(directory, example_config(mode), record, "test");
}

}  // namespace
}  // namespace linformer

int main(int count, char** words) {
  if (count != 3 && count != 4) return 2;
  const std::int64_t steps = std::atoll(words[2]);
  const auto mode = count == 4 ? linformer::WandbMode::kOnline : linformer::WandbMode::kOffline;
  linformer::train(words[1], mode, 0, steps / 2 + steps / 10, false);
  linformer::train(words[1], mode, steps / 2, steps, true);
  linformer::evaluate(words[1], mode, steps);
}
