// SPDX-License-Identifier: Apache-2.0
#include "base/block_cache.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <thread>
#include <vector>

namespace linformer {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(BlockCache, BlocksAreAlignedWritableAndApart) {
  BlockCache cache;
  std::vector<std::pair<unsigned char*, std::size_t>> blocks;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{63},
                                  std::size_t{65536}, kMiB - 7, 3 * kMiB, 9 * kMiB + 1}) {
    auto* data = static_cast<unsigned char*>(cache.take(bytes));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0U) << bytes;
    std::memset(data, static_cast<int>(blocks.size()), bytes);
    blocks.emplace_back(data, bytes);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (std::size_t b = 0; b < blocks[i].second; b += 4097) ASSERT_EQ(blocks[i].first[b], i);
    cache.give_back(blocks[i].first);
  }
  cache.give_back(nullptr);
  EXPECT_EQ(cache.bytes_in_use(), 0U);
}

TEST(BlockCache, TakesABlockAgainForAboutTheSameSize) {
  BlockCache cache;
  void* const first = cache.take(10 * kMiB);
  cache.give_back(first);
  EXPECT_GE(cache.bytes_kept(), 10 * kMiB);
  void* const second = cache.take(9 * kMiB);
  EXPECT_EQ(second, first);
  EXPECT_EQ(cache.bytes_kept(), 0U);
  cache.give_back(second);
  void* const small = cache.take(2 * kMiB);
  EXPECT_NE(small, first);  // would waste most of it
  cache.give_back(small);
}

TEST(BlockCache, KeepsNoMoreThanHalfAboveTheMostInUse) {
  BlockCache cache;
  std::mt19937 random(1);
  std::size_t most = 0;
  for (int step = 0; step < 300; ++step) {
    // The blocks of a step scale with its length, as activations do.
    const std::size_t length = 1000 + random() % 3000;
    std::vector<void*> blocks;
    for (std::size_t i = 1; i <= 20; ++i) blocks.push_back(cache.take(length * 64 * i));
    most = std::max(most, cache.bytes_in_use());
    EXPECT_LE(cache.bytes_in_use() + cache.bytes_kept(), most + most / 2);
    for (void* block : blocks) cache.give_back(block);
  }
  cache.release();
  EXPECT_EQ(cache.bytes_kept(), 0U);
}

TEST(BlockCache, SaysSoWhenThereIsNoMemory) {
  BlockCache cache;
  EXPECT_THROW(cache.take(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
  EXPECT_THROW(cache.take(std::size_t{1} << 60), std::bad_alloc);
  cache.give_back(cache.take(kMiB));
}

TEST(BlockCache, ServesThreads) {
  BlockCache cache;
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 500; ++i) {
      const std::size_t bytes = 1 + random() % (4 * kMiB);
      auto* const data = static_cast<unsigned char*>(cache.take(bytes));
      data[0] = data[bytes - 1] = static_cast<unsigned char>(seed);
      ASSERT_EQ(data[0], seed);
      cache.give_back(data);
    }
  };
  std::thread other(work, 1);
  work(2);
  other.join();
  EXPECT_EQ(cache.bytes_in_use(), 0U);
}

}  // namespace
}  // namespace linformer
