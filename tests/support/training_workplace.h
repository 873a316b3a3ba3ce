// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "storage/checkpoint_directory.h"
#include "support/bad_input.h"
#include "support/memory_directory.h"
#include "support/tiny_corpus.h"

namespace linformer {

// Trainings of a tiny model through the program.

inline constexpr std::int64_t kSteps = 24;  // 2 epochs of 12

/// Twelve batches an epoch; a record every three steps, a checkpoint every five and at validations.
inline constexpr char kConfig[] = R"(compatibility: false
model: {type: Linformer, projected_length: 4, model_dim: 16, ffn_dim: 32, num_heads: 2,
        num_layers: 1, dropout: 0.1}
training: {epochs: 2, batch_size: 8, learning_rate: 0.01, lr_scheduler: {warmup_steps: 4},
           log_every: 3, ema_decay: 0.8}
data: {train: train.csv, validation: validation.csv, tokenizer: tok, max_length: 32}
checkpoint: {every_steps: 5}
)";

/// What a training that has read its corpus says.
inline constexpr char kHasBegun[] = "training: 96 pairs";

inline std::vector<std::string> words(std::vector<std::string> more) {
  std::vector<std::string> out{LF_BINARY_DIR "/linformer"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

/// A directory with a corpus, a tokenizer, a configuration and one run.
class Workplace {
 public:
  Workplace() {
    directory_.write("config.yaml", kConfig);
    directory_.write("train.csv", copy_csv(random_words(96, 1)));
    directory_.write("validation.csv", copy_csv(random_words(10, 2)));
    byte_tokenizer().save(directory_.file("tok"));
  }

  /// The program in this directory.
  ProcessRequest request(const std::vector<std::string>& arguments,
                         const std::string& fault = "") const {
    return {.arguments = words(arguments),
            .directory = directory_.path(),
            .environment = {{"LINFORMER_FAULT", fault}, {"OMP_WAIT_POLICY", "passive"}}};
  }
  ProcessRequest train_request(const std::vector<std::string>& more,
                               const std::string& fault = "") const {
    std::vector<std::string> arguments{
        "train", "--config", "config.yaml", "--output",  "run", "--device",
        "cpu",   "--dtype",  "float32",     "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return request(arguments, fault);
  }
  ProcessResult train(const std::string& fault, const std::vector<std::string>& more = {}) const {
    return run_process(train_request(more, fault));
  }

  /// A run that was killed and has the checkpoint of step 5: the save of step 10 begins only once
  /// that one is whole, however slow the writer is.
  void train_and_kill() const { EXPECT_EQ(train("step@12:kill").exit_code, 137); }

  /// The weights after two epochs of a model that is large enough to be worth several threads.
  std::string deterministic_weights(const std::string& threads) const {
    const ProcessResult result = run_process(
        {.arguments = words({"train", "--config", "config.yaml", "--output", "run", "--overwrite",
                             "--device", "cpu", "--dtype", "float32", "--threads", threads,
                             "deterministic=true", "model.model_dim=128", "model.ffn_dim=512",
                             "training.batch_size=48"}),
         .directory = directory_.path(),
         .environment = {{"OMP_WAIT_POLICY", "passive"}}});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return slurp(list_generations(run()).front().path + "/model.safetensors");
  }

  /// Goes on with the run if there is one, until it is done, the fault strikes or the time is over.
  ProcessResult go_on(const std::vector<std::string>& more, const std::string& fault = "",
                      std::chrono::milliseconds time = std::chrono::minutes(30)) const {
    ProcessRequest request = train_request(more, fault);
    request.arguments.insert(request.arguments.end(), {"--resume", "auto"});
    request.timeout = time;
    return run_process(request);
  }

  ProcessResult start(const std::vector<std::string>& arguments) const {
    return run_process({.arguments = words(arguments), .directory = directory_.path()});
  }

  std::string file(const std::string& name) const { return directory_.file(name); }
  std::string run() const { return file("run"); }
  std::vector<std::int64_t> generations() const {
    std::vector<std::int64_t> out;
    for (const Generation& generation : list_generations(run())) out.push_back(generation.step);
    return out;
  }

 private:
  TempDirectory directory_;
};

/// One with a run of two steps.
class TrainedWorkplace : public Workplace {
 public:
  TrainedWorkplace() { EXPECT_EQ(train("", {"training.max_steps=2", "--quiet"}).exit_code, 0); }
};

/// metrics.jsonl without what the clock and the machine decide.
inline std::vector<nlohmann::json> metrics(const std::string& run) {
  std::vector<nlohmann::json> out;
  std::istringstream lines(slurp(run + "/metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json& record = out.emplace_back(nlohmann::json::parse(line));
    for (const char* name : {"tokens_per_second", "elapsed_seconds", "memory_bytes", "seconds",
                             "data_wait_seconds", "save_wait_seconds"}) {
      record.erase(name);
    }
  }
  return out;
}

struct Outcome {
  std::string weights;
  std::string moments;
  std::vector<nlohmann::json> records;
};

inline Outcome outcome_of(const std::string& run, std::int64_t steps = kSteps) {
  const std::string last = run + "/step-" + std::to_string(steps) + "/";
  return {slurp(last + "model.safetensors"), slurp(last + "optimizer.safetensors"), metrics(run)};
}

/// The uninterrupted run, made once.
inline const Outcome& reference() {
  static const Outcome outcome = [] {
    const Workplace workplace;
    const ProcessResult result = workplace.train("");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return outcome_of(workplace.run());
  }();
  return outcome;
}

inline void expect_reference(const Workplace& workplace) {
  const Outcome outcome = outcome_of(workplace.run());
  ASSERT_FALSE(reference().weights.empty());
  EXPECT_TRUE(outcome.weights == reference().weights);
  EXPECT_TRUE(outcome.moments == reference().moments);
  EXPECT_EQ(outcome.records, reference().records);
}

/// What is left of saves and files that were cut off, anywhere below `directory`.
inline std::vector<std::string> leftovers(const std::string& directory) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.find(".tmp-") != std::string::npos) out.push_back(name);
  }
  return out;
}

/// The number in an environment variable, for the long form of a test; else `usual`.
inline int count_from(const char* variable, int usual) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? usual : std::atoi(text);
}

}  // namespace linformer
