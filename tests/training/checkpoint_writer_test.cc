// SPDX-License-Identifier: Apache-2.0
#include "training/checkpoint_writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <limits>

#include "linformer/error.h"
#include "support/temp_directory.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

class CheckpointWriterTest : public ::testing::Test {
 protected:
  void save(CheckpointWriter& writer, std::int64_t step, bool is_best = false) {
    state_.step = step;
    std::optional<BestRecord> best;
    if (is_best) best = {step, "loss", 2.5};
    writer.save({*tiny_.store, optimizer_, state_, fingerprint_, text_, text_}, best);
  }
  void fill(double value) {
    const at::NoGradGuard no_grad;
    tiny_.store->parameters().front().master.fill_(value);
  }
  /// The first weight of a generation.
  float weight_of(std::int64_t step) {
    const Generation generation{run_.path() + "/step-" + std::to_string(step), step};
    verify_generation(generation.path);
    const TinyModel loaded(tiny_config("linear", kByteVocabulary), at::kFloat, 9);
    load_weights_into(load_weights(generation), *loaded.store);
    return loaded.store->parameters().front().master.flatten()[0].item<float>();
  }
  CheckpointWriter writer() {
    return {run_.path(), 2,
            [this](const CommitResult& saved) { saves_.push_back(saved.generation.step); }};
  }

  TempDirectory run_;
  TinyModel tiny_{tiny_config("linear", kByteVocabulary), at::kFloat, 1};
  Optimizer optimizer_{*tiny_.store, TrainingConfig()};
  TrainState state_;
  const RunFingerprint fingerprint_{"tokenizer", "data", "environment"};
  const std::string text_ = "{}\n";
  std::vector<std::int64_t> saves_;
};

TEST_F(CheckpointWriterTest, SavesTheWeightsOfTheMomentWhateverTrainingDoesThen) {
  CheckpointWriter writer = this->writer();
  for (std::int64_t step = 1; step <= 3; ++step) {
    fill(static_cast<double>(step));
    save(writer, step, step == 1);
    fill(-1);
  }
  writer.finish();
  EXPECT_EQ(saves_, (std::vector<std::int64_t>{1, 2, 3}));
  for (std::int64_t step = 1; step <= 3; ++step) EXPECT_EQ(weight_of(step), step);  // 1 is the best
  EXPECT_EQ(read_best(run_.path())->step, 1);
  EXPECT_GT(writer.seconds_waited(), 0);
}

TEST_F(CheckpointWriterTest, PreparingIsNoSave) {
  CheckpointWriter writer = this->writer();
  writer.prepare(*tiny_.store, optimizer_, false);
  writer.finish();
  EXPECT_TRUE(saves_.empty());
  EXPECT_TRUE(std::filesystem::is_empty(run_.path()));
  fill(8);
  save(writer, 8);
  writer.finish();
  EXPECT_EQ(weight_of(8), 8);
}

TEST_F(CheckpointWriterTest, CheckReportsASaveThatHasEnded) {
  CheckpointWriter writer = this->writer();
  save(writer, 4);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (saves_.empty() && std::chrono::steady_clock::now() < end) writer.check();
  EXPECT_EQ(saves_, (std::vector<std::int64_t>{4}));
  writer.finish();
  EXPECT_EQ(saves_.size(), 1U);
}

TEST_F(CheckpointWriterTest, AFailedSaveIsReportedOnceAndTheNextOneWorks) {
  CheckpointWriter writer = this->writer();
  const std::string moved = run_.path() + "-away";
  std::filesystem::rename(run_.path(), moved);
  save(writer, 1);
  EXPECT_THROW(writer.finish(), IoError);
  EXPECT_NO_THROW(writer.finish());
  std::filesystem::rename(moved, run_.path());
  save(writer, 2);
  writer.finish();
  EXPECT_EQ(saves_, (std::vector<std::int64_t>{2}));
}

TEST_F(CheckpointWriterTest, ANumberThatIsNotFiniteIsNeverSaved) {
  CheckpointWriter writer = this->writer();
  fill(std::numeric_limits<double>::quiet_NaN());
  save(writer, 1);
  EXPECT_THROW(writer.finish(), DivergenceError);
  EXPECT_TRUE(std::filesystem::is_empty(run_.path()));
}

TEST_F(CheckpointWriterTest, TheLastSaveIsWholeWhenTheWriterIsGone) {
  {
    CheckpointWriter writer = this->writer();
    fill(6);
    save(writer, 6);
  }
  EXPECT_EQ(weight_of(6), 6);
  EXPECT_TRUE(saves_.empty());
}

}  // namespace
}  // namespace linformer
