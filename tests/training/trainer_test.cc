// SPDX-License-Identifier: Apache-2.0
#include "training/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/memory_directory.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_corpus.h"

namespace linformer {
namespace {

using Steps = std::vector<std::int64_t>;

struct Records {
  std::vector<StepRecord> steps;
  std::vector<ValidationRecord> validations;
  std::vector<std::string> texts;
};

class RecordingSink final : public Sink {
 public:
  explicit RecordingSink(Records& records) : records_(records) {}
  void on_step(const StepRecord& record) override { records_.steps.push_back(record); }
  void on_validation(const ValidationRecord& record) override {
    records_.validations.push_back(record);
  }
  void on_final(const FinalRecord& /*record*/) override {}
  void on_text(std::int64_t /*step*/, std::string_view text) override {
    records_.texts.emplace_back(text);
  }
  void flush() override {}

 private:
  Records& records_;
};

/// 24 pairs in batches of 8: three steps an epoch.
RunConfig small_config() {
  RunConfig config = tiny_run_config("linear");
  config.compatibility = false;
  config.model.dropout = 0.1;
  config.training.batch_size = 8;
  config.training.epochs = 4;
  config.training.schedule = Schedule::kConstant;
  config.training.lr_scheduler.warmup_steps = 0;
  config.training.learning_rate = 1e-2;
  config.training.log_every = 1;
  return config;
}

/// A run in a directory of its own, or in that of another run.
struct TinyRun {
  explicit TinyRun(const RunConfig& run_config, std::string path = "")
      : config(run_config),
        tiny(config.model, at::kFloat),
        optimizer(*tiny.store, config.training),
        run_path(path.empty() ? directory.path() : std::move(path)) {
    observer.add(std::make_unique<RecordingSink>(records));
  }

  FinalRecord run() {
    const auto on_save = [this](const CommitResult& saved) {
      saves.push_back(saved.generation.step);
    };
    const PairSet* held_out = has_validation ? &validation : nullptr;
    TrainerParts parts{config,   yaml,     tokenizer_json, fingerprint, run_path,
                       train,    held_out, *tiny.store,    *tiny.model, optimizer,
                       observer, at::kCPU, translate,      on_save};
    Trainer trainer(parts, state);
    total_steps = trainer.total_steps();
    const FinalRecord out = trainer.run();
    state = trainer.state();
    return out;
  }

  Steps validated() const {
    Steps out;
    for (const ValidationRecord& record : records.validations) out.push_back(record.step);
    return out;
  }

  RunConfig config;
  TinyModel tiny;
  Optimizer optimizer;
  TempDirectory directory;
  std::string run_path;
  std::string yaml = "seed: 42\n";
  std::string tokenizer_json = "{}\n";
  RunFingerprint fingerprint{"t", "d", "e"};
  std::shared_ptr<PairSet> train = std::make_shared<PairSet>(copy_pairs(random_words(24, 1)));
  PairSet validation = copy_pairs(random_words(6, 2));
  bool has_validation = true;
  std::function<TranslationScores()> translate;
  Records records;
  Observer observer;
  TrainState state;
  Steps saves;
  std::int64_t total_steps = 0;
};

std::int64_t label_count(const PairSet& pairs) {
  std::int64_t out = 0;
  for (const std::uint32_t length : pairs.target_lengths()) out += length - 1;
  return out;
}

TEST(Trainer, LearnsToCopy) {
  RunConfig config = small_config();
  config.training.epochs = 40;
  config.model.dropout = 0;
  config.training.label_smoothing = 0;
  TinyRun run(config);
  const FinalRecord final_record = run.run();
  EXPECT_EQ(final_record.reason, "finished");
  EXPECT_EQ(final_record.step, 120);
  EXPECT_LT(run.records.steps.back().loss, 0.3 * run.records.steps.front().loss);
  EXPECT_LT(final_record.best_value, 0.8 * run.records.validations.front().loss);
}

TEST(Trainer, LearnsToCopyFromBatchesOfOneShape) {
  RunConfig config = small_config();
  config.training.batch_size = 0;
  config.training.batch_tokens = 64;
  config.training.fixed_capacity = true;
  config.training.epochs = 40;
  config.model.dropout = 0;
  TinyRun run(config);
  run.run();
  EXPECT_LT(run.records.steps.back().loss, 0.5 * run.records.steps.front().loss);
  EXPECT_EQ(run.state.target_tokens, 40 * label_count(*run.train));
}

TEST(Trainer, FillsABatchToItsTokenLimit) {
  RunConfig config = small_config();
  config.training.batch_size = 0;
  TinyRun run(config);
  const auto lengths = run.train->source_lengths();  // both sides are equally long
  run.config.training.batch_tokens =
      std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  run.run();
  EXPECT_EQ(run.state.step, run.config.training.epochs);
}

TEST(Trainer, ValidatesAndSavesOnceAnEpoch) {
  TinyRun run(small_config());
  run.run();
  EXPECT_EQ(run.total_steps, 12);
  EXPECT_EQ(run.validated(), (Steps{3, 6, 9, 12}));
  EXPECT_EQ(run.saves, (Steps{3, 6, 9, 12}));
}

TEST(Trainer, SavesEveryEpochWithoutValidation) {
  TinyRun run(small_config());
  run.has_validation = false;
  const FinalRecord final_record = run.run();
  EXPECT_EQ(run.validated(), Steps{});
  EXPECT_EQ(run.saves, (Steps{3, 6, 9, 12}));
  EXPECT_EQ(final_record.metric, "");
}

TEST(Trainer, ValidatesAndSavesEverySoManySteps) {
  RunConfig config = small_config();
  config.training.validate_every_steps = 4;
  config.checkpoint.every_steps = 5;
  config.training.max_steps = 11;
  TinyRun run(config);
  run.run();
  EXPECT_EQ(run.validated(), (Steps{4, 8, 11}));
  EXPECT_EQ(run.saves, (Steps{4, 5, 8, 10, 11}));
}

TEST(Trainer, MaxStepsEndARunInsideAnEpoch) {
  RunConfig config = small_config();
  config.training.max_steps = 5;
  TinyRun run(config);
  const FinalRecord final_record = run.run();
  EXPECT_EQ(run.total_steps, 5);
  EXPECT_EQ(final_record.step, 5);
  EXPECT_EQ(final_record.reason, "finished");
  EXPECT_EQ(run.saves.back(), 5);
  EXPECT_EQ(run.state.epoch, 1);
  EXPECT_EQ(run.state.batch, 2);
  EXPECT_EQ(run.state.sample, 16);
  EXPECT_DOUBLE_EQ(run.records.steps.back().progress, 1.0);
}

TEST(Trainer, MinutesEndARunAndAreItsProgress) {
  RunConfig config = small_config();
  config.training.epochs = 1000000;
  config.training.max_minutes = 0.005;
  config.training.log_every = 1;
  TinyRun run(config);
  const FinalRecord final_record = run.run();
  EXPECT_EQ(final_record.reason, "finished");
  ASSERT_FALSE(run.records.steps.empty());
  for (const StepRecord& step : run.records.steps) {
    EXPECT_NEAR(step.progress, std::min(1.0, step.elapsed_seconds / 0.3), 1e-3);
  }
  EXPECT_GE(final_record.seconds, 0.3);
}

TEST(Trainer, ProgressIsWholeOnceTheMinutesAreOver) {
  RunConfig config = small_config();
  config.training.epochs = 1000000;
  config.training.max_minutes = 1e-7;  // over before the first step
  config.training.log_every = 1;
  TinyRun run(config);
  EXPECT_EQ(run.run().step, 1);
  ASSERT_EQ(run.records.steps.size(), 1U);
  EXPECT_DOUBLE_EQ(run.records.steps.back().progress, 1.0);
}

TEST(Trainer, StopsEarlyWhenNothingGetsBetter) {
  RunConfig config = small_config();
  config.training.learning_rate = 1e-30;  // no weight changes
  config.training.early_stopping.patience = 2;
  TinyRun run(config);
  const FinalRecord final_record = run.run();
  EXPECT_EQ(final_record.reason, "early_stopping");
  EXPECT_EQ(run.validated(), (Steps{3, 6, 9}));
  EXPECT_EQ(final_record.step, 9);
  EXPECT_EQ(final_record.best_step, 3);
  EXPECT_TRUE(run.records.validations[0].is_best);
  EXPECT_FALSE(run.records.validations[2].is_best);
}

TEST(Trainer, MarksTheBestGenerationAndKeepsIt) {
  RunConfig config = small_config();
  config.training.early_stopping.metric = Metric::kBleu;
  TinyRun run(config);
  double bleu = 40;
  run.translate = [&] {
    return TranslationScores{.bleu = bleu -= 10, .chrf = 1, .sample = "a -> b"};
  };
  const FinalRecord final_record = run.run();
  EXPECT_EQ(final_record.metric, "bleu");
  EXPECT_EQ(final_record.best_step, 3);
  EXPECT_EQ(final_record.best_value, 30);
  ASSERT_TRUE(read_best(run.run_path).has_value());
  EXPECT_EQ(read_best(run.run_path)->step, 3);
  EXPECT_EQ(run.records.texts.size(), 4U);
  Steps kept;
  for (const Generation& kept_one : list_generations(run.run_path)) kept.push_back(kept_one.step);
  EXPECT_EQ(kept, (Steps{12, 9, 3}));
}

TEST(Trainer, RecordsAreMeansSinceTheRecordBefore) {
  RunConfig config = small_config();
  TinyRun fine(config);
  fine.run();
  config.training.log_every = 5;
  TinyRun coarse(config);
  coarse.run();
  ASSERT_EQ(coarse.records.steps.size(), 3U);  // 5, 10 and the last, 12
  double nll = 0;
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::int64_t before = i == 0 ? 0 : fine.records.steps[i - 1].target_tokens;
    const std::int64_t count = fine.records.steps[i].target_tokens - before;
    nll += fine.records.steps[i].loss * static_cast<double>(count);
    tokens += count;
  }
  EXPECT_NEAR(coarse.records.steps[0].loss, nll / static_cast<double>(tokens), 1e-9);
  EXPECT_EQ(coarse.records.steps[2].step, 12);
}

TEST(Trainer, AccumulationMakesOneStepOfSeveralBatches) {
  RunConfig config = small_config();
  config.training.accumulate = 2;
  TinyRun run(config);
  EXPECT_EQ(run.run().step, 8);  // batches 2 + 1 an epoch
  EXPECT_EQ(run.total_steps, 8);
}

TEST(Trainer, GoesOnFromASavedStateWithTheSameBits) {
  TinyRun whole(small_config());
  whole.run();
  RunConfig config = small_config();
  config.training.max_steps = 5;
  TinyRun first(config);
  first.run();
  TinyRun second(small_config(), first.run_path);
  const Generation newest = list_generations(first.run_path).front();
  ASSERT_EQ(newest.step, 5);
  restore_generation(newest, second.fingerprint, false, *second.tiny.store, second.optimizer,
                     second.state);
  second.run();
  for (const Parameter& parameter : whole.tiny.store->parameters()) {
    EXPECT_TRUE(at::equal(parameter.master, second.tiny.store->find(parameter.name)->master))
        << parameter.name;
  }
}

TEST(Trainer, NothingIsLeftToDoForAFinishedRun) {
  TinyRun run(small_config());
  run.run();
  TinyRun again(small_config(), run.run_path);
  restore_generation(list_generations(run.run_path).front(), again.fingerprint, false,
                     *again.tiny.store, again.optimizer, again.state);
  EXPECT_EQ(again.run().step, 12);
  EXPECT_TRUE(again.records.steps.empty());
  EXPECT_TRUE(again.saves.empty());
}

TEST(Trainer, LossThatIsNotFiniteEndsTheRunWithoutACheckpoint) {
  TinyRun run(small_config());
  {
    const at::NoGradGuard no_grad;
    run.tiny.store->parameters().back().master.fill_(std::numeric_limits<float>::quiet_NaN());
  }
  const std::string text = error_text<DivergenceError>([&] { run.run(); });
  EXPECT_NE(text.find("step 1 (epoch 1, pairs from 0)"), std::string::npos) << text;
  EXPECT_TRUE(run.saves.empty());
  EXPECT_TRUE(list_generations(run.run_path).empty());
}

}  // namespace
}  // namespace linformer
