// SPDX-License-Identifier: Apache-2.0
// Full disks, a loader that dies or stalls, a second trainer, and all of it at random: a training
// says what happened, keeps what it has, and goes on from there to the same bits.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <random>

#include "storage/run_directory.h"
#include "support/training_workplace.h"

#ifdef LINFORMER_FAULTS

namespace linformer {
namespace {

using Steps = std::vector<std::int64_t>;
using Seconds = std::chrono::duration<double>;

const std::string kGoOn = "checkpoint.on_save_error=continue";

Seconds time_of(const ProcessRequest& request, ProcessResult& result) {
  const auto start = std::chrono::steady_clock::now();
  result = run_process(request);
  return std::chrono::steady_clock::now() - start;
}

void expect_resumes(const Workplace& workplace) {
  const ProcessResult resumed = workplace.train("", {"--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_reference(workplace);
}

// Saves are at steps 5, 10, 12, 15, 20 and 24.
TEST(FailedSave, StopsATraining) {
  const Workplace workplace;
  const ProcessResult result = workplace.train("verify@2:enospc", {"--quiet"});
  EXPECT_EQ(result.exit_code, 4) << result.err;
  expect_one_error_line({.expected = {"No space left on device"}}, result);
  EXPECT_EQ(workplace.generations(), Steps{5});
  EXPECT_EQ(leftovers(workplace.run()), std::vector<std::string>());
  expect_resumes(workplace);
}

TEST(FailedSave, IsCountedWhereATrainingIsToGoOn) {
  const Workplace workplace;
  const ProcessResult result = workplace.train("verify@2:enospc", {"--quiet", kGoOn});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("step 10 is not saved, failure 1 of this run: verify: No space left on "
                            "device; the next due checkpoint is tried again\n"),
            std::string::npos)
      << result.err;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_EQ(leftovers(workplace.run()), std::vector<std::string>());
  expect_reference(workplace);
}

TEST(FailedSave, OfTheLastStepIsAnErrorInAnyCase) {
  const Workplace workplace;
  const ProcessResult result = workplace.train("verify@6:enospc", {"--quiet", kGoOn});
  EXPECT_EQ(result.exit_code, 4) << result.err;
  expect_one_error_line({.expected = {"No space left on device"}}, result);
  EXPECT_EQ(workplace.generations(), (Steps{20, 15, 12}));
  expect_resumes(workplace);
}

TEST(FailedSave, AfterASignalIsAnErrorInAnyCase) {
  const Workplace workplace;
  ProcessRequest request = workplace.train_request({"--quiet", kGoOn}, "step@8:term");
  request.limits = {{RLIMIT_FSIZE, 2048}};
  const ProcessResult result = run_process(request);
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_NE(result.err.find("step 5 is not saved"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("error: "), std::string::npos) << result.err;
}

/// Every file of more than 2 KiB fails: all saves, and the end.
TEST(FailedSave, LimitOfTheFileSizeIsAFullDisk) {
  for (const std::string policy : {"stop", "continue"}) {
    const Workplace workplace;
    ProcessRequest request =
        workplace.train_request({"--quiet", "checkpoint.on_save_error=" + policy});
    request.limits = {{RLIMIT_FSIZE, 2048}};
    const ProcessResult result = run_process(request);
    EXPECT_EQ(result.exit_code, 4) << result.err;
    const bool goes_on = policy == "continue";
    EXPECT_EQ(result.err.find("step 20 is not saved, failure 5 of") != std::string::npos, goes_on)
        << result.err;
    EXPECT_EQ(result.err.find("saved step"), std::string::npos);
    EXPECT_EQ(workplace.generations(), Steps());
    EXPECT_EQ(leftovers(workplace.run()), std::vector<std::string>());
  }
}

/// LF_FAULTS: so many places; else one of each kind.
TEST(Loader, FailureEndsATrainingWithThePairsNamed) {
  const int count = count_from("LF_FAULTS", 2);
  std::mt19937 random(2);
  for (int i = 0; i < count && !::testing::Test::HasFailure(); ++i) {
    const Workplace workplace;
    const bool stalls = i % 2 == 1;
    const auto pass = static_cast<std::int64_t>(1 + random() % 24);
    const std::string fault = "load@" + std::to_string(pass) + (stalls ? ":stall" : ":throw");
    SCOPED_TRACE(fault);
    ProcessResult result;
    const Seconds seconds = time_of(
        workplace.train_request({"--quiet", "training.data_timeout_seconds=1"}, fault), result);
    EXPECT_EQ(result.exit_code, 6) << result.err;
    EXPECT_LE(seconds.count(), 5);
    const std::string epoch = pass <= 12 ? "epoch 1" : "epoch 2";
    expect_one_error_line({.expected = {"the data loader", epoch + ", pairs "}}, result);
    const Steps generations = workplace.generations();
    if (!generations.empty()) EXPECT_LT(generations.front(), pass);
    const ProcessResult again = workplace.go_on({});
    EXPECT_EQ(again.exit_code, 0) << again.err;
    expect_reference(workplace);
  }
}

TEST(Loader, StallDoesNotHideASignal) {
  const Workplace workplace;
  ProcessRequest request = workplace.train_request({}, "load@8:stall");
  request.signals_after = kHasBegun;
  request.signals = {{std::chrono::milliseconds(1500), SIGTERM}};
  const ProcessResult result = run_process(request);
  EXPECT_EQ(result.exit_code, 143) << result.err;
  EXPECT_LE(result.after_signals, std::chrono::seconds(2));
  EXPECT_EQ(workplace.generations().front(), 7);
  expect_resumes(workplace);
}

TEST(Memory, LackOfItInAStepKeepsTheLastCheckpoint) {
  const Workplace workplace;
  const ProcessResult result = workplace.train("step@8:oom", {"--quiet"});
  EXPECT_EQ(result.exit_code, 5) << result.err;
  expect_one_error_line({.expected = {"out of host memory"}}, result);
  EXPECT_EQ(workplace.generations(), Steps{5});
  expect_resumes(workplace);
}

TEST(Memory, LimitThatDoesNotHoldTheLibrariesIsNamedBeforeTheyAreLoaded) {
  const Workplace workplace;
  ProcessRequest request = workplace.train_request({"--quiet"});
  request.limits = {{RLIMIT_AS, rlim_t{430} << 20}};
  const ProcessResult result = run_process(request);
  EXPECT_EQ(result.exit_code, 5) << result.err;
  expect_one_error_line({.expected = {"ulimit -v", "got 450887680 bytes, want at least 838860800"}},
                        result);
}

/// LF_LIMITS says how many limits of the virtual memory, from too little to enough.
TEST(Memory, AnyLimitOfItIsEnoughOrAnError) {
  const int count = count_from("LF_LIMITS", 2);
  const Workplace workplace;
  std::map<int, int> codes;
  for (int i = 0; i < count; ++i) {
    const rlim_t limit = (800 + 600 * static_cast<rlim_t>(i) / static_cast<rlim_t>(count)) << 20;
    SCOPED_TRACE(limit);
    ProcessRequest request = workplace.train_request(
        {"--quiet", "--overwrite", "model.model_dim=512", "model.ffn_dim=1024",
         "model.num_layers=6", "training.max_steps=2"});
    request.limits = {{RLIMIT_AS, limit}};
    request.timeout = std::chrono::seconds(60);
    const ProcessResult result = run_process(request);
    ++codes[result.exit_code];
    EXPECT_TRUE(result.exit_code == 0 || result.exit_code == 5) << result.exit_code << result.err;
    if (result.exit_code == 5) expect_one_error_line({.expected = {"memory"}}, result);
  }
  for (const auto& [code, number] : codes) RecordProperty("exit_" + std::to_string(code), number);
}

TEST(SecondTrainer, IsRefusedAtOnceWithThePidOfTheFirst) {
  const Workplace workplace;
  workplace.train_and_kill();
  {
    const RunDirectory first = RunDirectory::open(workplace.run());
    const auto before = snapshot(workplace.run());
    for (const char* how : {"--resume", "--overwrite"}) {
      ProcessResult result;
      const Seconds seconds = time_of(workplace.train_request({"--quiet", how}), result);
      EXPECT_EQ(result.exit_code, 2) << result.err;
      EXPECT_LE(seconds.count(), 0.5);
      expect_one_error_line({.expected = {"is in use by process " + std::to_string(::getpid())}},
                            result);
    }
    EXPECT_EQ(snapshot(workplace.run()), before);
  }
  expect_resumes(workplace);  // past the lock of a dead process
}

/// One more fault; the time after which it is over in any case.
ProcessRequest with_fault(const Workplace& workplace, const std::vector<std::string>& settings,
                          std::mt19937& random) {
  const auto pass = [&](unsigned least, unsigned most) {
    return "@" + std::to_string(least + random() % (most - least));
  };
  const std::array<std::string, 10> faults{
      "step" + pass(5, 40) + ":kill",      "step" + pass(5, 40) + ":term",
      "write" + pass(60, 300) + ":enospc", "fsync" + pass(30, 200) + ":eio",
      "rename" + pass(5, 40) + ":kill",    "load" + pass(5, 40) + ":throw",
      "load" + pass(5, 40) + ":stall",     "step" + pass(5, 40) + ":oom",
      "poll" + pass(100, 900) + ":int",    ""};
  ProcessRequest request = workplace.train_request(settings, faults[random() % faults.size()]);
  request.arguments.insert(request.arguments.end(), {"--resume", "auto"});
  if (request.environment.front().second.empty()) {
    request.signals = {{std::chrono::milliseconds(400 + random() % 800), SIGKILL}};
  }
  return request;
}

/// LF_FAULTS says how many.
TEST(FaultSoup, AutomaticRestartsLeadToTheSameBits) {
  const int num_faults = count_from("LF_FAULTS", 3);
  const std::int64_t steps = 40 * num_faults;
  const std::vector<std::string> settings{"training.max_steps=" + std::to_string(steps),
                                          "training.epochs=100000", "checkpoint.every_steps=1",
                                          "training.data_timeout_seconds=1"};
  const Workplace whole;
  ASSERT_EQ(whole.go_on(settings).exit_code, 0);
  const Workplace faulty;
  std::mt19937 random(3);
  std::map<int, int> codes;
  int exit_code = -1;
  for (int i = 0; i < num_faults && exit_code != 0; ++i) {
    const ProcessRequest request = with_fault(faulty, settings, random);
    const ProcessResult result = run_process(request);
    exit_code = result.exit_code;
    ++codes[exit_code];
    const bool is_known = exit_code == 0 || exit_code == 4 || exit_code == 5 || exit_code == 6 ||
                          exit_code == 130 || exit_code == 137 || exit_code == 143;
    EXPECT_TRUE(is_known) << request.environment.front().second << ": " << result.err;
    for (const Generation& generation : list_generations(faulty.run())) {
      EXPECT_NO_THROW(verify_generation(generation.path));
    }
  }
  for (const auto& [code, count] : codes) RecordProperty("exit_" + std::to_string(code), count);
  const ProcessResult last = faulty.go_on(settings);
  ASSERT_EQ(last.exit_code, 0) << last.err;
  const Outcome want = outcome_of(whole.run(), steps);
  const Outcome got = outcome_of(faulty.run(), steps);
  ASSERT_FALSE(want.weights.empty());
  EXPECT_TRUE(got.weights == want.weights);
  EXPECT_TRUE(got.moments == want.moments);
  EXPECT_EQ(got.records, want.records);
}

}  // namespace
}  // namespace linformer

#endif
