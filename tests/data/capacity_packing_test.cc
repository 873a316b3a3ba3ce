// SPDX-License-Identifier: Apache-2.0
#include "data/capacity_packing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "data/batch_sampler.h"
#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

using Batches = std::vector<std::vector<std::uint32_t>>;

struct Lengths {
  std::vector<std::uint32_t> source;
  std::vector<std::uint32_t> target;
};

/// Log-normal lengths of the given means; targets follow their sources with some freedom.
Lengths sentences(std::size_t count, double source_mean, double target_mean) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  Lengths out;
  const auto length = [](double mean, double draw) {
    return static_cast<std::uint32_t>(std::clamp(std::exp(0.6 * draw - 0.18) * mean, 3.0, 250.0));
  };
  for (std::size_t i = 0; i < count; ++i) {
    const double common = normal(random);
    out.source.push_back(length(source_mean, common));
    out.target.push_back(length(target_mean, 0.8 * common + 0.6 * normal(random)));
  }
  return out;
}

Batches pack(const Lengths& lengths, const BatchCapacity& capacity) {
  return pack_batches(epoch_order(1, 0, static_cast<std::uint32_t>(lengths.source.size())),
                      lengths.source, lengths.target, capacity);
}

TEST(ChooseCapacity, GivesTheLongerSideAllTokensAndTheOtherItsPart) {
  const std::vector<std::uint32_t> source(10, 8);   // 8 tokens each
  const std::vector<std::uint32_t> target(10, 17);  // 16 decoder inputs each
  const BatchCapacity capacity = choose_capacity(source, target, 160);
  EXPECT_EQ(capacity.target_tokens, 160);
  EXPECT_EQ(capacity.source_tokens, 80);
  EXPECT_EQ(capacity.pairs, 15);  // 10 at the mean, and half as many again
}

TEST(ChooseCapacity, RefusesWhatCannotHoldAPair) {
  const std::vector<std::uint32_t> source{4, 90};
  const std::vector<std::uint32_t> target{101, 101};
  EXPECT_EQ(error_text<ConfigError>([&] { choose_capacity(source, target, 120); }),
            "training.batch_tokens: a single pair does not fit (got 120, pair 2 has 90 tokens on a "
            "side that takes 64)");
}

TEST(PackBatches, HoldEveryPairOnceAndKeepWithinTheCapacity) {
  const Lengths lengths = sentences(5000, 25, 30);
  const BatchCapacity capacity = choose_capacity(lengths.source, lengths.target, 1024);
  std::vector<int> seen(lengths.source.size());
  for (const auto& batch : pack(lengths, capacity)) {
    std::int64_t source = 0;
    std::int64_t target = 0;
    for (const std::uint32_t pair : batch) {
      ++seen[pair];
      source += lengths.source[pair];
      target += lengths.target[pair] - 1;
    }
    EXPECT_LE(source, capacity.source_tokens);
    EXPECT_LE(target, capacity.target_tokens);
    EXPECT_LE(static_cast<std::int64_t>(batch.size()), capacity.pairs);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 5000);
}

TEST(PackBatches, KeepWithinThePairsToo) {
  const std::vector<std::uint32_t> lengths(20, 3);
  const BatchCapacity capacity{.source_tokens = 100, .target_tokens = 100, .pairs = 6};
  const Batches batches = pack({lengths, lengths}, capacity);
  ASSERT_EQ(batches.size(), 4U);
  EXPECT_EQ(batches[0].size(), 6U);
  EXPECT_EQ(batches[3].size(), 2U);
}

TEST(PackBatches, LeaveLittleUnused) {
  for (const double mean : {15.0, 31.0}) {
    for (const std::int64_t tokens : {4096, 16384}) {
      const Lengths lengths = sentences(60000, mean, 1.9 * mean);
      const BatchCapacity capacity = choose_capacity(lengths.source, lengths.target, tokens);
      const double unused =
          unused_share(pack(lengths, capacity), lengths.source, lengths.target, capacity);
      EXPECT_LT(unused, 0.02) << mean << " " << tokens;
      EXPECT_GT(unused, 0.0);
    }
  }
}

TEST(PackBatches, DoNotSort) {
  const Lengths lengths = sentences(20000, 25, 30);
  const BatchCapacity capacity = choose_capacity(lengths.source, lengths.target, 4096);
  double least = 1e9;
  double most = 0;
  const Batches batches = pack(lengths, capacity);
  for (std::size_t i = 0; i + 1 < batches.size(); ++i) {  // the last one is small
    least = std::min(least, static_cast<double>(batches[i].size()));
    most = std::max(most, static_cast<double>(batches[i].size()));
  }
  EXPECT_LT(most / least, 1.6);
}

TEST(UnusedShare, IsWhatNoRealTokenUses) {
  const std::vector<std::uint32_t> source{4, 6};
  const std::vector<std::uint32_t> target{5, 3};
  const BatchCapacity capacity{.source_tokens = 10, .target_tokens = 10, .pairs = 2};
  EXPECT_DOUBLE_EQ(unused_share({{0, 1}}, source, target, capacity), 1.0 - 16.0 / 20.0);
  EXPECT_EQ(unused_share({}, source, target, capacity), 0.0);
}

}  // namespace
}  // namespace linformer
