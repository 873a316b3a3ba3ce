// SPDX-License-Identifier: Apache-2.0
// A training that is ended anywhere and resumed is the training that was never ended, bit for bit.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <random>

#include "support/training_workplace.h"

#ifdef LINFORMER_FAULTS

namespace linformer {
namespace {

TEST(Resume, UninterruptedRunRecordsEverythingOnce) {
  std::map<std::string, int> counts;
  for (const nlohmann::json& record : reference().records) ++counts[record.at("type")];
  EXPECT_EQ(counts, (std::map<std::string, int>{{"step", 8}, {"validation", 2}, {"final", 1}}));
  EXPECT_LT(reference().records.at(7).at("loss"), reference().records.at(0).at("loss"));
}

TEST(Resume, FinishedRunReportsItsBestAndNoValidationOfItsOwn) {
  const Workplace workplace;
  const auto result_of = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"training.max_steps=2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = workplace.train("", arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  };
  const auto first = nlohmann::json::parse(result_of({"--json"}));
  EXPECT_EQ(first.at("loss"), first.at("best"));
  auto want = first;
  for (const char* name : {"loss", "perplexity", "seconds"}) EXPECT_EQ(want.erase(name), 1U);
  auto again = nlohmann::json::parse(result_of({"--json", "--resume"}));
  again.erase("seconds");
  EXPECT_EQ(again, want);
  const std::string text = result_of({"--resume"});
  EXPECT_TRUE(text.starts_with("finished at step 2: best loss ")) << text;
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
  const int num_kills = count_from("LF_KILLS", 6);
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

}  // namespace
}  // namespace linformer

#endif
