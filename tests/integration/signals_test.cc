// SPDX-License-Identifier: Apache-2.0
// Signals in every phase of every verb that takes long.
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <random>

#include "support/training_workplace.h"

#ifdef LINFORMER_FAULTS

namespace linformer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTimeToLeave{2000};

/// A verb, and the polls for a signal in which one is sent to it.
struct Phase {
  std::string name;
  std::vector<std::string> arguments;
  std::vector<int> polls;
  std::string output;  // which must not be there afterwards
};

class SignalledVerb : public ::testing::TestWithParam<Phase> {
 protected:
  /// A trained run, made once.
  static const Workplace& workplace() {
    static const TrainedWorkplace workplace;
    return workplace;
  }
};

TEST_P(SignalledVerb, LeavesWithTheSignalsCodeAndNoOutput) {
  for (const int poll : GetParam().polls) {
    for (const auto& [action, code] : {std::pair("term", 143), std::pair("int", 130)}) {
      const std::string fault = "poll@" + std::to_string(poll) + ":" + action;
      SCOPED_TRACE(fault);
      ProcessRequest request = workplace().request(GetParam().arguments, fault);
      request.input = "abc\nabcd\n";
      const ProcessResult result = run_process(request);
      EXPECT_EQ(result.exit_code, code) << result.err;
      EXPECT_NE(result.err.find("linformer: error: stopped"), std::string::npos) << result.err;
      EXPECT_EQ(result.out, "");
      if (GetParam().output.empty()) continue;
      EXPECT_FALSE(std::filesystem::exists(workplace().file(GetParam().output)));
      EXPECT_EQ(leftovers(workplace().file(".")), std::vector<std::string>());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Phases, SignalledVerb,
    ::testing::Values(
        Phase{"TokenizerTrain",
              {"tokenizer", "train", "train.csv", "--vocab-size", "300", "--output", "new"},
              {1, 100, 200},
              "new"},
        Phase{"Pretokenize",
              {"pretokenize", "train.csv", "--tokenizer", "tok", "--output", "new.lfs"},
              {1},
              "new.lfs"},
        Phase{"PretokenizeNpz",
              {"pretokenize", "train.csv", "--tokenizer", "tok", "--output", "new.npz",
               "--max-length", "32"},
              {1},
              "new.npz"},
        Phase{"Stats", {"stats", "train.csv", "--tokenizer", "tok"}, {1}, ""},
        Phase{"Evaluate",
              {"evaluate", "--checkpoint", "run", "--data", "validation.csv", "--output", "new.csv",
               "--device", "cpu", "--quiet"},
              {12},
              "new.csv"},
        Phase{"Translate",
              {"translate", "--checkpoint", "run", "--device", "cpu", "--quiet"},
              {4},
              ""},
        Phase{"Compare",
              {"compare", "--config", "config.yaml", "model.vocab_size=300", "--lengths", "16",
               "--device", "cpu", "--output", "new.csv"},
              {12},
              "new.csv"},
        Phase{"CompareCheck",
              {"compare", "--config", "config.yaml", "model.vocab_size=300", "--lengths", "16",
               "--device", "cpu", "--check", "--output", "new.csv"},
              {5},
              "new.csv"},
        Phase{"Lab", {"lab", "--device", "cpu", "--output", "lab"}, {3}, "lab/lab.json"}),
    [](const auto& info) { return info.param.name; });

/// Forward and backward passes, and saves.
TEST(SignalledTraining, SavesTheLastWholeStepInAnyPhase) {
  for (const char* fault : {"poll@60:term", "poll@150:int", "rename@3:term", "verify@1:term"}) {
    SCOPED_TRACE(fault);
    const Workplace workplace;
    const ProcessResult ended = workplace.train(fault);
    const bool is_int = std::string_view(fault).ends_with("int");
    EXPECT_EQ(ended.exit_code, is_int ? 130 : 143) << ended.err;
    ASSERT_FALSE(workplace.generations().empty());
    EXPECT_NO_THROW(verify_generation(list_generations(workplace.run()).front().path));
    EXPECT_EQ(workplace.train("", {"--resume"}).exit_code, 0);
    expect_reference(workplace);
  }
}

/// LF_SIGNALS says how many, by the clock.
TEST(SignalledTraining, LeavesInTimeAndGoesOnToTheSameBits) {
  const int count = count_from("LF_SIGNALS", 3);
  const std::int64_t steps = 160 * count;
  const std::vector<std::string> settings{"training.max_steps=" + std::to_string(steps),
                                          "training.epochs=100000", "checkpoint.every_steps=50"};
  const Workplace whole;
  ASSERT_EQ(whole.go_on(settings).exit_code, 0);
  const Workplace workplace;
  std::mt19937 random(5);
  const std::array<int, 3> signals{SIGTERM, SIGINT, SIGUSR1};
  milliseconds longest{0};
  int sent = 0;
  int exit_code = -1;
  while (sent < count && exit_code != 0) {
    ProcessRequest request = workplace.train_request(settings);
    request.arguments.insert(request.arguments.end(), {"--resume", "auto"});
    const int signal = signals[static_cast<std::size_t>(sent) % 3];
    request.signals = {{milliseconds(20 + random() % 1200), signal}};
    const ProcessResult result = run_process(request);
    exit_code = result.exit_code;
    if (exit_code == 0) break;
    EXPECT_EQ(exit_code, signal == SIGINT ? 130 : 143) << result.err;
    EXPECT_LE(result.after_signals, kTimeToLeave);
    longest = std::max(longest, result.after_signals);
    ++sent;
  }
  RecordProperty("signals", sent);
  RecordProperty("longest_ms", static_cast<int>(longest.count()));
  ASSERT_EQ(workplace.go_on(settings).exit_code, 0);
  const Outcome want = outcome_of(whole.run(), steps);
  const Outcome got = outcome_of(workplace.run(), steps);
  ASSERT_FALSE(want.weights.empty());
  EXPECT_TRUE(got.weights == want.weights);
  EXPECT_EQ(got.records, want.records);
}

TEST(SignalledTraining, SecondSignalLeavesAtOnceFromASaveThatHangs) {
  const Workplace workplace;
  workplace.train_and_kill();
  const auto before = snapshot(workplace.run() + "/step-5");
  ProcessRequest request = workplace.train_request({"--resume"}, "verify@1:stall");
  request.signals_after = kHasBegun;
  request.signals = {{milliseconds(700), SIGTERM}, {milliseconds(1400), SIGTERM}};
  const ProcessResult result = run_process(request);
  EXPECT_EQ(result.exit_code, 143) << result.err;
  EXPECT_LE(result.after_signals, milliseconds(500));
  EXPECT_EQ(snapshot(workplace.run() + "/step-5"), before);
  EXPECT_EQ(workplace.train("", {"--resume"}).exit_code, 0);
  expect_reference(workplace);
}

TEST(SignalledTraining, HangUpAndAClosedStdoutDoNotEndIt) {
  const Workplace workplace;
  ProcessRequest request = workplace.train_request({"training.epochs=40"});
  request.close_stdout = true;
  request.signals_after = kHasBegun;
  request.signals = {{milliseconds(50), SIGPIPE},
                     {milliseconds(100), SIGHUP},
                     {milliseconds(500), SIGHUP},
                     {milliseconds(550), SIGPIPE}};
  const ProcessResult result = run_process(request);
  // Trained to its end; that the result could not be printed is an error of its own.
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_NE(result.err.find("stdout: cannot write"), std::string::npos) << result.err;
  EXPECT_EQ(workplace.generations().front(), 40 * kSteps / 2);
}

}  // namespace
}  // namespace linformer

#endif
