// SPDX-License-Identifier: Apache-2.0
#include "data/batch_loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/exit_code.h"
#include "linformer/error.h"
#include "support/tiny_corpus.h"

namespace linformer {
namespace {

LoaderOptions small_batches(std::int64_t accumulate = 1, std::int64_t ranks = 1,
                            std::int64_t rank = 0) {
  LoaderOptions out;
  out.sampler.batch_tokens = 40;
  out.seed = 9;
  out.accumulate = accumulate;
  out.ranks = ranks;
  out.rank = rank;
  return out;
}

std::vector<std::vector<std::int64_t>> sources_of(const StepBatches& step) {
  std::vector<std::vector<std::int64_t>> out;
  for (const HostBatch& batch : step.batches) out.push_back(batch.source.ids);
  return out;
}

TEST(BatchLoader, GivesTheBatchesOfTheSamplerEpochAfterEpoch) {
  const auto pairs = std::make_shared<const PairSet>(copy_pairs(random_words(60, 1)));
  const LoaderOptions options = small_batches(2);
  BatchLoader loader(pairs, options, {});
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    const auto batches = epoch_batches(options.sampler, pairs->source_lengths(),
                                       pairs->target_lengths(), options.seed, epoch);
    ASSERT_GT(batches.size(), 4U);
    for (std::size_t first = 0; first < batches.size(); first += 2) {
      const std::size_t count = std::min<std::size_t>(2, batches.size() - first);
      const StepBatches step = loader.next();
      const StepBatches want =
          gather_step(*pairs, std::span(batches).subspan(first, count), options);
      EXPECT_EQ(sources_of(step), sources_of(want));
      EXPECT_EQ(step.pairs, want.pairs);
      EXPECT_EQ(step.target_tokens, want.target_tokens);
      const bool is_last = first + count == batches.size();
      EXPECT_EQ(step.next,
                (is_last ? BatchCursor{epoch + 1, 0}
                         : BatchCursor{epoch, static_cast<std::int64_t>(first + count)}));
    }
  }
}

TEST(BatchLoader, GoesOnFromAnyCursor) {
  const auto pairs = std::make_shared<const PairSet>(copy_pairs(random_words(60, 1)));
  BatchLoader whole(pairs, small_batches(), {});
  for (int step = 0; step < 30; ++step) {
    const StepBatches before = whole.next();
    BatchLoader other(pairs, small_batches(), before.next);
    BatchLoader third(pairs, small_batches(), before.next);
    const StepBatches after = other.next();
    EXPECT_EQ(sources_of(after), sources_of(third.next()));
    if (step == 29) EXPECT_EQ(sources_of(after), sources_of(whole.next()));
  }
}

TEST(BatchLoader, RanksShareEveryStep) {
  const auto pairs = std::make_shared<const PairSet>(copy_pairs(random_words(61, 2)));
  constexpr std::int64_t kRanks = 3;
  BatchLoader alone(pairs, small_batches(kRanks), {});
  std::vector<std::unique_ptr<BatchLoader>> loaders;
  for (std::int64_t rank = 0; rank < kRanks; ++rank) {
    loaders.push_back(
        std::make_unique<BatchLoader>(pairs, small_batches(1, kRanks, rank), BatchCursor{}));
  }
  bool some_rank_was_idle = false;
  for (int step = 0; step < 40; ++step) {
    const StepBatches all = alone.next();
    std::vector<std::vector<std::int64_t>> shared;
    for (auto& loader : loaders) {
      const StepBatches part = loader->next();
      EXPECT_EQ(part.next, all.next);
      EXPECT_EQ(part.pairs, all.pairs);
      EXPECT_EQ(part.target_tokens, all.target_tokens);
      some_rank_was_idle |= part.batches.empty();
      for (const auto& ids : sources_of(part)) shared.push_back(ids);
    }
    EXPECT_EQ(shared, sources_of(all));
  }
  EXPECT_TRUE(some_rank_was_idle);  // else the test has not seen the end of an epoch
}

TEST(BatchLoader, MarksBatchesOfOneShape) {
  const auto pairs = std::make_shared<const PairSet>(copy_pairs(random_words(60, 1)));
  LoaderOptions options = small_batches();
  options.sampler.capacity = choose_capacity(pairs->source_lengths(), pairs->target_lengths(), 48);
  BatchLoader loader(pairs, options, {});
  for (int step = 0; step < 5; ++step) {
    const HostBatch batch = loader.next().batches.at(0);
    EXPECT_EQ(batch.capacity.source_tokens, options.sampler.capacity->source_tokens);
    EXPECT_LE(batch.source.tokens(), batch.capacity.source_tokens);
    EXPECT_LE(batch.decoder_input.tokens(), batch.capacity.target_tokens);
  }
}

TEST(BatchLoader, PassesErrorsOnAfterTheGoodSteps) {
  const auto pairs = std::make_shared<const PairSet>(copy_pairs({"ab", "abc", "abcdabcdabcdabcd"}));
  LoaderOptions options = small_batches();
  options.sampler.batch_tokens = 10;
  BatchLoader loader(pairs, options, {});
  EXPECT_THROW(loader.next(), ConfigError);
  EXPECT_THROW(loader.next(), ConfigError);
}

#ifdef LINFORMER_FAULTS

/// Steps until the scripted fault strikes; its exit code and line.
[[noreturn]] void load_until_the_fault(const char* fault) {
  ::setenv("LINFORMER_FAULT", fault, 1);
  std::_Exit(run_guarded([] {
    LoaderOptions options = small_batches();
    options.timeout_seconds = 1;
    const auto pairs = std::make_shared<const PairSet>(copy_pairs(random_words(60, 1)));
    BatchLoader loader(pairs, options, {});
    for (int steps = 0; steps < 100; ++steps) loader.next();
    return 0;
  }));
}

TEST(BatchLoaderDeathTest, NamesThePairsOfAFailureAndOfAStall) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(load_until_the_fault("load@3:throw"), ::testing::ExitedWithCode(6),
              "the data loader failed at epoch 1, pairs [0-9]+, .*: scripted fault");
  EXPECT_EXIT(load_until_the_fault("load@3:stall"), ::testing::ExitedWithCode(6),
              "the data loader has given nothing for 1 s at epoch 1, pairs [0-9]+, .* "
              ".training.data_timeout_seconds.");
  EXPECT_EXIT(load_until_the_fault("load@3:oom"), ::testing::ExitedWithCode(5), "out of host");
  EXPECT_EXIT(load_until_the_fault("load@3:eio"), ::testing::ExitedWithCode(4), "load: Input");
}

#endif

TEST(BatchLoader, RefusesARankThatIsNone) {
  const auto pairs = std::make_shared<const PairSet>(copy_pairs({"ab", "abc"}));
  EXPECT_THROW(BatchLoader(pairs, small_batches(1, 2, 2), {}), InternalError);
}

TEST(StepsPerEpoch, RoundUp) {
  EXPECT_EQ(steps_per_epoch(7, small_batches(1)), 7);
  EXPECT_EQ(steps_per_epoch(7, small_batches(2)), 4);
  EXPECT_EQ(steps_per_epoch(7, small_batches(2, 2)), 2);
  EXPECT_EQ(steps_per_epoch(0, small_batches()), 0);
}

}  // namespace
}  // namespace linformer
