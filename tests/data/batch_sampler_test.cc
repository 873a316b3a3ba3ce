// SPDX-License-Identifier: Apache-2.0
#include "data/batch_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

using Batches = std::vector<std::vector<std::uint32_t>>;

struct Lengths {
  std::vector<std::uint32_t> source;
  std::vector<std::uint32_t> target;
};

/// Skewed like sentences: many short ones, few long, both sides related.
Lengths make_lengths(std::size_t size) {
  SplitMix64 random(1);
  Lengths lengths;
  for (std::size_t i = 0; i < size; ++i) {
    const auto base =
        static_cast<std::uint32_t>(1 + random.below(1 + random.below(1 + random.below(200))));
    lengths.source.push_back(base);
    lengths.target.push_back(1 + base * 2 + static_cast<std::uint32_t>(random.below(1 + base / 2)));
  }
  return lengths;
}

std::vector<std::uint32_t> flatten(const Batches& batches) {
  std::vector<std::uint32_t> all;
  for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

void expect_each_index_once(std::vector<std::uint32_t> all, std::size_t size) {
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), size);
  for (std::uint32_t i = 0; i < size; ++i) ASSERT_EQ(all[i], i);
}

TEST(SplitMix64, GivesThePublishedNumbers) {
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
  EXPECT_EQ(random.next(), 4593380528125082431ULL);
  EXPECT_EQ(random.next(), 16408922859458223821ULL);
}

TEST(SplitMix64, BelowIsUniformAndInRange) {
  SplitMix64 random(5);
  std::vector<int> counts(10);
  for (int i = 0; i < 100000; ++i) ++counts.at(random.below(10));
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
  EXPECT_EQ(random.below(1), 0U);
}

TEST(EpochOrder, IsAFixedPermutationOfSeedAndEpoch) {
  EXPECT_EQ(epoch_order(42, 0, 10), (std::vector<std::uint32_t>{5, 1, 9, 6, 7, 2, 4, 0, 8, 3}));
  EXPECT_EQ(epoch_order(42, 1, 10), (std::vector<std::uint32_t>{6, 1, 5, 7, 4, 8, 3, 2, 9, 0}));
  EXPECT_EQ(epoch_order(43, 0, 10), (std::vector<std::uint32_t>{9, 7, 1, 3, 2, 8, 5, 0, 4, 6}));
}

TEST(EpochOrder, HoldsEveryIndexOnce) {
  for (const std::uint32_t size : {0U, 1U, 2U, 1000U})
    expect_each_index_once(epoch_order(7, 3, size), size);
}

TEST(EpochOrder, MovesEveryPositionEverywhere) {
  std::vector<std::vector<int>> seen(5, std::vector<int>(5));
  for (std::int64_t epoch = 0; epoch < 20000; ++epoch) {
    const auto order = epoch_order(9, epoch, 5);
    for (std::size_t i = 0; i < 5; ++i) ++seen[i][order[i]];
  }
  for (const auto& row : seen) {
    for (const int count : row) EXPECT_NEAR(count, 4000, 300);
  }
}

TEST(EpochBatches, HoldEveryIndexOnceInEveryMode) {
  const Lengths lengths = make_lengths(5000);
  for (const SamplerOptions options :
       {SamplerOptions{}, SamplerOptions{.batch_tokens = 700}, SamplerOptions{.batch_size = 64},
        SamplerOptions{.sort_window = 1}, SamplerOptions{.batch_size = 88, .sequential = true},
        SamplerOptions{.sequential = true}}) {
    expect_each_index_once(flatten(epoch_batches(options, lengths.source, lengths.target, 42, 2)),
                           5000);
  }
}

TEST(EpochBatches, KeepBothSidesWithinTheTokenLimit) {
  const Lengths lengths = make_lengths(5000);
  const SamplerOptions options{.batch_tokens = 1000};
  const Batches batches = epoch_batches(options, lengths.source, lengths.target, 42, 0);
  std::size_t nearly_full = 0;
  for (const auto& batch : batches) {
    std::int64_t source = 0;
    std::int64_t target = 0;
    for (const std::uint32_t pair : batch) {
      source += lengths.source[pair];
      target += lengths.target[pair];
    }
    EXPECT_LE(std::max(source, target), 1000);
    nearly_full += std::max(source, target) > 500;
  }
  EXPECT_GE(nearly_full, batches.size() * 95 / 100);
}

TEST(EpochBatches, FillTheTokenLimitExactly) {
  const std::vector<std::uint32_t> lengths(8, 4);
  EXPECT_EQ(epoch_batches({.batch_tokens = 16}, lengths, lengths, 1, 0).size(), 2U);
  EXPECT_EQ(epoch_batches({.batch_tokens = 15}, lengths, lengths, 1, 0).size(), 3U);
}

TEST(EpochBatches, SequentialIsFileOrder) {
  const Lengths lengths = make_lengths(200);
  const Batches batches =
      epoch_batches({.batch_size = 88, .sequential = true}, lengths.source, lengths.target, 42, 5);
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[0].size(), 88U);
  EXPECT_EQ(batches[2].size(), 24U);
  const auto all = flatten(batches);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
}

TEST(EpochBatches, AreTheSameAgainAndOthersInTheNextEpoch) {
  const Lengths lengths = make_lengths(3000);
  const auto draw = [&](std::uint64_t seed, std::int64_t epoch) {
    return epoch_batches({.batch_tokens = 2000}, lengths.source, lengths.target, seed, epoch);
  };
  EXPECT_EQ(draw(42, 0), draw(42, 0));
  EXPECT_NE(draw(42, 0), draw(42, 1));
  EXPECT_NE(draw(42, 0), draw(43, 0));
}

TEST(EpochBatches, AreNotInOrderOfLength) {
  const Lengths lengths = make_lengths(5000);
  const Batches batches =
      epoch_batches({.batch_tokens = 1000}, lengths.source, lengths.target, 42, 0);
  std::size_t rises = 0;
  for (std::size_t i = 1; i < batches.size(); ++i) {
    rises += lengths.target[batches[i][0]] > lengths.target[batches[i - 1][0]];
  }
  EXPECT_NEAR(static_cast<double>(rises) / static_cast<double>(batches.size()), 0.5, 0.1);
}

TEST(EpochBatches, ALimitBelowOnePairIsAConfigError) {
  const std::vector<std::uint32_t> source{3, 4};
  const std::vector<std::uint32_t> target{3, 40};
  EXPECT_EQ(error_text<ConfigError>([&] {
              epoch_batches({.batch_tokens = 16, .sequential = true}, source, target, 1, 0);
            }),
            "training.batch_tokens: a single pair does not fit (got 16, pair 2 has 40 tokens)");
}

TEST(EpochBatches, OfNothingAreNone) {
  EXPECT_TRUE(epoch_batches({}, {}, {}, 1, 0).empty());
  EXPECT_EQ(padding_efficiency({}, {}, {}).source, 1.0);
}

TEST(PaddingEfficiency, IsRealTokensByThePaddedRectangle) {
  const std::vector<std::uint32_t> source{1, 3, 6};
  const std::vector<std::uint32_t> target{2, 2, 2};
  const PaddingEfficiency efficiency = padding_efficiency({{0, 1}, {2}}, source, target);
  EXPECT_DOUBLE_EQ(efficiency.source, (1.0 + 3.0 + 6.0) / (2 * 3.0 + 6.0));
  EXPECT_DOUBLE_EQ(efficiency.target, 1.0);
}

TEST(PaddingEfficiency, SortedWindowsWasteLittle) {
  const Lengths lengths = make_lengths(20000);
  const auto of = [&](const SamplerOptions& options) {
    const Batches batches = epoch_batches(options, lengths.source, lengths.target, 42, 0);
    return padding_efficiency(batches, lengths.source, lengths.target);
  };
  const PaddingEfficiency sorted = of({.batch_tokens = 4096});
  const PaddingEfficiency shuffled = of({.batch_tokens = 4096, .sort_window = 1});
  EXPECT_GT(sorted.target, 0.75);
  EXPECT_GT(sorted.source, 0.75);
  EXPECT_LT(shuffled.target, 0.5);
}

}  // namespace
}  // namespace linformer
