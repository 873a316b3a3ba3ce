// SPDX-License-Identifier: Apache-2.0
#include "training/train_state.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_corpus.h"
#include "training/train_step.h"

namespace linformer {
namespace {

constexpr std::int64_t TrainState::*kCounts[] = {&TrainState::step,
                                                 &TrainState::epoch,
                                                 &TrainState::batch,
                                                 &TrainState::sample,
                                                 &TrainState::source_tokens,
                                                 &TrainState::target_tokens,
                                                 &TrainState::validated_step,
                                                 &TrainState::best_step,
                                                 &TrainState::without_better,
                                                 &TrainState::plateau_count,
                                                 &TrainState::plateau_reductions,
                                                 &TrainState::interval_tokens};
constexpr double TrainState::*kReals[] = {&TrainState::elapsed_seconds, &TrainState::best_value,
                                          &TrainState::plateau_best, &TrainState::interval_nll,
                                          &TrainState::interval_norm};

/// Every member has a value of its own; the reals have no short decimal form.
TrainState distinct_state() {
  TrainState state;
  std::int64_t value = 3;
  for (const auto member : kCounts) state.*member = value++;
  for (const auto member : kReals) state.*member = static_cast<double>(value++) / 7.0;
  return state;
}

const RunFingerprint kFingerprint{"tokenizer-a", "data-a", "cpu, float32, 1 thread"};
const std::string kYaml = "seed: 3\n";
const std::string kTokenizerJson = "{}\n";

/// A model with its optimizer; `train` moves weights and moments.
struct SavedRun {
  explicit SavedRun(std::uint64_t seed)
      : tiny(tiny_config("linear", kByteVocabulary), at::kFloat, seed),
        optimizer(*tiny.store, TrainingConfig()) {}

  void train(std::int64_t steps) {
    const PairSet pairs = copy_pairs({"abc", "dd", "cab"});
    const std::vector<std::vector<std::uint32_t>> batches{{0, 1, 2}};
    for (std::int64_t step = 0; step < steps; ++step) {
      seed_dropout(1, step);
      accumulate_gradients(*tiny.model, gather_step(pairs, batches, {}), 0.1, at::kCPU);
      optimizer.step(1e-2);
    }
  }

  Generation save(const std::string& directory) {
    const TrainState state = distinct_state();
    const GenerationInputs inputs{*tiny.store,  optimizer, state,
                                  kFingerprint, kYaml,     kTokenizerJson};
    return save_generation(directory, inputs, 2).generation;
  }

  std::string restore(const Generation& generation, const RunFingerprint& fingerprint,
                      bool allow_inexact = false) {
    return restore_generation(generation, fingerprint, allow_inexact, *tiny.store, optimizer,
                              state);
  }

  TinyModel tiny;
  Optimizer optimizer;
  TrainState state;
};

void expect_same(const SavedRun& a, const SavedRun& b) {
  for (const Parameter& parameter : a.tiny.store->parameters()) {
    EXPECT_TRUE(at::equal(parameter.master, b.tiny.store->find(parameter.name)->master))
        << parameter.name;
  }
  ASSERT_EQ(a.optimizer.moments().size(), b.optimizer.moments().size());
  for (std::size_t i = 0; i < a.optimizer.moments().size(); ++i) {
    const Optimizer::Moments& x = a.optimizer.moments()[i];
    const Optimizer::Moments& y = b.optimizer.moments()[i];
    EXPECT_TRUE(at::equal(x.exp_avg, y.exp_avg)) << x.parameter->name;
    EXPECT_TRUE(at::equal(x.exp_avg_sq, y.exp_avg_sq)) << x.parameter->name;
  }
  EXPECT_EQ(a.optimizer.steps(), b.optimizer.steps());
}

class TrainStateFiles : public ::testing::Test {
 protected:
  TrainStateFiles() {
    saved_.train(3);
    generation_ = saved_.save(directory_.path());
  }

  TempDirectory directory_;
  SavedRun saved_{1};
  SavedRun other_{2};
  Generation generation_;
};

TEST_F(TrainStateFiles, RestoringGivesTheSameBits) {
  EXPECT_EQ(other_.restore(generation_, kFingerprint), "");
  expect_same(saved_, other_);
  EXPECT_EQ(other_.optimizer.steps(), 3);
  EXPECT_GT(saved_.optimizer.moments().front().exp_avg.abs().max().item<float>(), 0.0F);
  const TrainState want = distinct_state();
  for (const auto member : kCounts) EXPECT_EQ(other_.state.*member, want.*member);
  for (const auto member : kReals) EXPECT_EQ(other_.state.*member, want.*member);
}

TEST_F(TrainStateFiles, StepsAfterRestoringGiveTheSameBits) {
  other_.restore(generation_, kFingerprint);
  saved_.train(2);
  other_.train(2);
  expect_same(saved_, other_);
}

TEST_F(TrainStateFiles, AnAverageIsTheModelAndTheTrainedWeightsComeBackBesideIt) {
  WeightAverage average(*saved_.tiny.store, 0.9);
  saved_.train(1);
  average.update(*saved_.tiny.store, 3);
  const TrainState state = distinct_state();
  const Generation generation = save_generation(directory_.path(),
                                                {*saved_.tiny.store, saved_.optimizer, state,
                                                 kFingerprint, kYaml, kTokenizerJson, &average},
                                                2)
                                    .generation;
  WeightAverage restored(*other_.tiny.store, 0.9);
  restore_generation(generation, kFingerprint, false, *other_.tiny.store, other_.optimizer,
                     other_.state, &restored);
  expect_same(saved_, other_);
  const SafetensorsFile model = load_weights(generation);
  for (std::size_t i = 0; i < average.weights().size(); ++i) {
    const Parameter& parameter = saved_.tiny.store->parameters()[i];
    EXPECT_TRUE(at::equal(restored.weights()[i], average.weights()[i])) << parameter.name;
    const at::Tensor in_file = at::empty_like(average.weights()[i]);
    copy_tensor(model.at(parameter.name), model.path(), in_file);
    EXPECT_TRUE(at::equal(in_file, average.weights()[i])) << parameter.name;
  }
  EXPECT_FALSE(
      at::equal(average.weights().front(), saved_.tiny.store->parameters().front().master));
}

TEST_F(TrainStateFiles, GenerationIsNamedByItsStepAndHoldsConfigurationAndTokenizer) {
  EXPECT_EQ(generation_.step, distinct_state().step);
  EXPECT_TRUE(generation_.path.ends_with("/step-" + std::to_string(generation_.step)));
  EXPECT_EQ(read_generation_file(generation_, kConfigFile), kYaml);
  EXPECT_EQ(read_generation_file(generation_, kTokenizerFile), kTokenizerJson);
  EXPECT_EQ(verify_generation(generation_.path).files.size(), 5U);
}

TEST_F(TrainStateFiles, AnotherTokenizerIsRefusedWithBothDigests) {
  RunFingerprint fingerprint = kFingerprint;
  fingerprint.tokenizer_digest = "tokenizer-b";
  const std::string text =
      error_text<CheckpointError>([&] { other_.restore(generation_, fingerprint, true); });
  EXPECT_EQ(text, generation_.path +
                      "/state.json: the tokenizer of the run differs "
                      "(checkpoint tokenizer-a, here tokenizer-b)");
}

TEST_F(TrainStateFiles, OtherDataAreRefusedWithBothDigests) {
  RunFingerprint fingerprint = kFingerprint;
  fingerprint.data_digest = "data-b";
  const std::string text =
      error_text<CheckpointError>([&] { other_.restore(generation_, fingerprint, true); });
  EXPECT_EQ(text, generation_.path +
                      "/state.json: the training data of the run differs "
                      "(checkpoint data-a, here data-b)");
}

TEST_F(TrainStateFiles, AnotherEnvironmentIsRefusedUnlessInexactIsAllowed) {
  RunFingerprint fingerprint = kFingerprint;
  fingerprint.environment = "cuda:0, bfloat16";
  const SavedRun untouched(2);
  const std::string text =
      error_text<CheckpointError>([&] { other_.restore(generation_, fingerprint); });
  EXPECT_NE(text.find("--allow-inexact"), std::string::npos) << text;
  expect_same(untouched, other_);
  const std::string note = other_.restore(generation_, fingerprint, true);
  EXPECT_NE(note.find("checkpoint: cpu, float32, 1 thread; here: cuda:0, bfloat16"),
            std::string::npos)
      << note;
  expect_same(saved_, other_);
}

TEST_F(TrainStateFiles, MomentsOfAnotherModelAreRefused) {
  TinyModel wider(tiny_config("vanilla", kByteVocabulary), at::kFloat);
  Optimizer optimizer(*wider.store, TrainingConfig());
  TrainState state;
  EXPECT_THROW(restore_generation(generation_, kFingerprint, false, *wider.store, optimizer, state),
               CheckpointError);
}

TEST_F(TrainStateFiles, WeightsThatAreNotFiniteAreNotSaved) {
  const TempDirectory directory;
  {
    const at::NoGradGuard no_grad;
    saved_.tiny.store->parameters().front().master.view({-1})[4] = INFINITY;
  }
  const std::string text = error_text<DivergenceError>([&] { saved_.save(directory.path()); });
  EXPECT_NE(text.find(saved_.tiny.store->parameters().front().name), std::string::npos) << text;
  EXPECT_TRUE(list_generations(directory.path()).empty());
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace linformer
