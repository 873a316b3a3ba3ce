// SPDX-License-Identifier: Apache-2.0
// A training that is ended anywhere and resumed is the training that was never ended, bit for bit.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>

#include "nlohmann/json.hpp"
#include "storage/checkpoint_directory.h"
#include "support/bad_input.h"
#include "support/memory_directory.h"
#include "support/tiny_corpus.h"

#ifdef LINFORMER_FAULTS

namespace linformer {
namespace {

constexpr std::int64_t kSteps = 24;  // 2 epochs of 12

/// Twelve batches an epoch; a record every three steps, a checkpoint every five and at validations.
const char kConfig[] = R"(compatibility: false
model: {type: Linformer, projected_length: 4, model_dim: 16, ffn_dim: 32, num_heads: 2,
        num_layers: 1, dropout: 0.1}
training: {epochs: 2, batch_size: 8, learning_rate: 0.01, lr_scheduler: {warmup_steps: 4},
           log_every: 3, ema_decay: 0.8}
data: {train: train.csv, validation: validation.csv, tokenizer: tok, max_length: 32}
checkpoint: {every_steps: 5}
)";

std::vector<std::string> words(std::vector<std::string> more) {
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

  ProcessResult train(const std::string& fault, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments =
        words({"train", "--config", "config.yaml", "--output", "run", "--device", "cpu", "--dtype",
               "float32", "--threads", "1"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_process(
        {.arguments = arguments,
         .directory = directory_.path(),
         .environment = {{"LINFORMER_FAULT", fault}, {"OMP_WAIT_POLICY", "passive"}}});
  }

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
    std::vector<std::string> arguments =
        words({"train", "--config", "config.yaml", "--output", "run", "--device", "cpu", "--dtype",
               "float32", "--threads", "1", "--resume", "auto"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_process({.arguments = arguments,
                        .directory = directory_.path(),
                        .environment = {{"LINFORMER_FAULT", fault}, {"OMP_WAIT_POLICY", "passive"}},
                        .timeout = time});
  }

  ProcessResult start(const std::vector<std::string>& arguments) const {
    return run_process({.arguments = words(arguments), .directory = directory_.path()});
  }

  std::string run() const { return directory_.file("run"); }
  std::vector<std::int64_t> generations() const {
    std::vector<std::int64_t> out;
    for (const Generation& generation : list_generations(run())) out.push_back(generation.step);
    return out;
  }

 private:
  TempDirectory directory_;
};

/// metrics.jsonl without what the clock and the machine decide.
std::vector<nlohmann::json> metrics(const std::string& run) {
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

Outcome outcome_of(const std::string& run, std::int64_t steps = kSteps) {
  const std::string last = run + "/step-" + std::to_string(steps) + "/";
  return {slurp(last + "model.safetensors"), slurp(last + "optimizer.safetensors"), metrics(run)};
}

/// The uninterrupted run, made once.
const Outcome& reference() {
  static const Outcome outcome = [] {
    const Workplace workplace;
    const ProcessResult result = workplace.train("");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return outcome_of(workplace.run());
  }();
  return outcome;
}

void expect_reference(const Workplace& workplace) {
  const Outcome outcome = outcome_of(workplace.run());
  ASSERT_FALSE(reference().weights.empty());
  EXPECT_TRUE(outcome.weights == reference().weights);
  EXPECT_TRUE(outcome.moments == reference().moments);
  EXPECT_EQ(outcome.records, reference().records);
}

TEST(Resume, UninterruptedRunRecordsEverythingOnce) {
  std::map<std::string, int> counts;
  for (const nlohmann::json& record : reference().records) ++counts[record.at("type")];
  EXPECT_EQ(counts, (std::map<std::string, int>{{"step", 8}, {"validation", 2}, {"final", 1}}));
  EXPECT_LT(reference().records.at(7).at("loss"), reference().records.at(0).at("loss"));
}

struct Kill {
  std::string name;
  std::string fault;
  bool may_have_checkpoint = true;
};

class KilledRun : public ::testing::TestWithParam<Kill> {};

TEST_P(KilledRun, ResumesToTheSameBits) {
  const Workplace workplace;
  EXPECT_EQ(workplace.train(GetParam().fault).exit_code, 137);
  // A save that had begun may or may not have been whole.
  const bool has_checkpoint = !workplace.generations().empty();
  EXPECT_TRUE(GetParam().may_have_checkpoint || !has_checkpoint);
  const ProcessResult resumed = workplace.train("", {has_checkpoint ? "--resume" : "--overwrite"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_reference(workplace);
}

INSTANTIATE_TEST_SUITE_P(
    Places, KilledRun,
    ::testing::Values(Kill{"Step4", "step@4:kill", false}, Kill{"Step9", "step@9:kill"},
                      Kill{"Step12", "step@12:kill"}, Kill{"Step17", "step@17:kill"},
                      Kill{"Step23", "step@23:kill"}, Kill{"Validation", "validation@1:kill"},
                      Kill{"LastValidation", "validation@2:kill"}),
    [](const auto& info) { return info.param.name; });

/// LF_EVERY_STEP: all of them; else some. A run that is ended after any step and resumed is the
/// same.
TEST(Resume, RunThatIsEndedAfterAnyStepIsStillTheSame) {
  const std::int64_t stride = std::getenv("LF_EVERY_STEP") != nullptr ? 1 : 7;
  for (std::int64_t step = 1; step < kSteps && !HasFailure(); step += stride) {
    SCOPED_TRACE(step);
    const Workplace workplace;
    EXPECT_EQ(workplace.train("step@" + std::to_string(step + 1) + ":term").exit_code, 143);
    EXPECT_EQ(workplace.generations().front(), step);
    EXPECT_EQ(workplace.train("", {"--resume"}).exit_code, 0);
    expect_reference(workplace);
  }
}

/// Half of the kills are by the clock, half somewhere in a save. LF_KILLS says how many.
TEST(Resume, RunThatIsKilledAtRandomMomentsIsStillTheSame) {
  const char* const text = std::getenv("LF_KILLS");
  const int num_kills = text == nullptr ? 6 : std::atoi(text);
  const std::int64_t steps = 100 * num_kills;
  const std::vector<std::string> settings{"training.max_steps=" + std::to_string(steps),
                                          "training.epochs=100000", "checkpoint.every_steps=1"};
  const Workplace whole;
  ASSERT_EQ(whole.go_on(settings).exit_code, 0);
  const Workplace killed;
  const std::array<std::string, 8> sites{"open",   "write",          "fsync",  "close",
                                         "verify", "sync_directory", "rename", "unlink"};
  std::mt19937 random(1);
  int kills = 0;
  int exit_code = -1;
  while (kills < num_kills && exit_code != 0) {  // 0: a fast machine was done before the clock
    if (kills % 2 == 0) {
      const std::chrono::milliseconds time(200 + random() % 500);
      exit_code = killed.go_on(settings, "", time).exit_code;
    } else {
      const std::string site = sites[random() % sites.size()];
      exit_code = killed.go_on(settings, site + "@" + std::to_string(30 + random() % 100) + ":kill")
                      .exit_code;
    }
    const int killed_code = kills % 2 == 0 ? 200 : 137;
    EXPECT_TRUE(exit_code == 0 || exit_code == killed_code) << exit_code;
    kills += exit_code == 0 ? 0 : 1;
    for (const Generation& generation : list_generations(killed.run())) {
      EXPECT_NO_THROW(verify_generation(generation.path));
    }
  }
  RecordProperty("kills", kills);
  EXPECT_GE(kills, 2);
  ASSERT_EQ(killed.go_on(settings).exit_code, 0);
  const Outcome want = outcome_of(whole.run(), steps);
  const Outcome got = outcome_of(killed.run(), steps);
  ASSERT_FALSE(want.weights.empty());
  EXPECT_TRUE(got.weights == want.weights);
  EXPECT_TRUE(got.moments == want.moments);
  EXPECT_EQ(got.records, want.records);
}

TEST(Resume, DeterministicRunIsTheSameForAnyNumberOfThreads) {
  const Workplace workplace;
  const std::string weights = workplace.deterministic_weights("1");
  ASSERT_FALSE(weights.empty());
  for (const char* threads : {"2", "3", "8"}) {
    EXPECT_TRUE(workplace.deterministic_weights(threads) == weights) << threads;
  }
}

struct Termination {
  std::string name;
  std::string fault;
  std::int64_t saved_step;  // the last whole one
};

class TerminatedRun : public ::testing::TestWithParam<Termination> {};

TEST_P(TerminatedRun, SavesTheLastWholeStepAndResumesToTheSameBits) {
  const Workplace workplace;
  const ProcessResult ended = workplace.train(GetParam().fault);
  EXPECT_EQ(ended.exit_code, 143) << ended.err;
  ASSERT_FALSE(workplace.generations().empty());
  EXPECT_EQ(workplace.generations().front(), GetParam().saved_step);
  EXPECT_NO_THROW(verify_generation(list_generations(workplace.run()).front().path));
  const ProcessResult resumed = workplace.train("", {"--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_reference(workplace);
}

INSTANTIATE_TEST_SUITE_P(Places, TerminatedRun,
                         ::testing::Values(Termination{"Step2", "step@2:term", 1},
                                           Termination{"Step8", "step@8:term", 7},
                                           Termination{"Step13", "step@13:term", 12},
                                           Termination{"Validation", "validation@1:term", 12}),
                         [](const auto& info) { return info.param.name; });

TEST(Resume, RunThatIsTerminatedInItsFirstStepHasSavedNothing) {
  const Workplace workplace;
  const ProcessResult ended = workplace.train("step@1:term");
  EXPECT_EQ(ended.exit_code, 143) << ended.err;
  EXPECT_TRUE(workplace.generations().empty());
  EXPECT_EQ(ended.err.find("saved step"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("nothing was saved"), std::string::npos) << ended.err;
}

TEST(Resume, RunThatWasEndedTwiceIsStillTheSame) {
  const Workplace workplace;
  EXPECT_EQ(workplace.train("step@8:kill").exit_code, 137);
  EXPECT_EQ(workplace.train("step@9:kill", {"--resume", "auto"}).exit_code, 137);
  EXPECT_EQ(workplace.train("", {"--resume", "auto"}).exit_code, 0);
  expect_reference(workplace);
  const ProcessResult scored =
      workplace.start({"evaluate", "--checkpoint", "run", "--data", "validation.csv", "--device",
                       "cpu", "--quiet", "--json", "--max-new-tokens", "8"});
  EXPECT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_TRUE(nlohmann::json::parse(scored.out).is_object());
}

class DivergentRun : public ::testing::TestWithParam<std::string> {};

TEST_P(DivergentRun, EndsWithOneErrorLineAndWithoutACheckpointOfThatStep) {
  const Workplace workplace;
  const ProcessResult result =
      workplace.train(GetParam() + "@3:nan", {"--quiet", "checkpoint.every_steps=1"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  expect_one_error_line({.expected = {GetParam(), "not finite at step 3 "}}, result);
  EXPECT_EQ(workplace.generations(), (std::vector<std::int64_t>{2, 1}));
}

INSTANTIATE_TEST_SUITE_P(Places, DivergentRun, ::testing::Values("gradient", "loss"));

}  // namespace
}  // namespace linformer

#endif
