// SPDX-License-Identifier: Apache-2.0
#include "text/byte_pair_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>

namespace linformer {
namespace {

/// Ids of single bytes are 1000 + byte, so that ids and ranks differ.
std::array<std::int32_t, 256> byte_ids() {
  std::array<std::int32_t, 256> ids{};
  for (int i = 0; i < 256; ++i) ids[static_cast<std::size_t>(i)] = 1000 + i;
  return ids;
}

std::int32_t id(char byte) { return 1000 + static_cast<unsigned char>(byte); }

std::vector<std::int32_t> encode(const BytePairEncoder& encoder, std::string_view word) {
  std::vector<std::int32_t> ids(word.size());
  ids.resize(encoder.encode(word, ids.data()));
  return ids;
}

/// The definition, word for word: look at all neighbours again after each merge.
std::vector<std::int32_t> encode_slowly(const std::vector<Merge>& merges, std::string_view word) {
  std::vector<std::int32_t> ids;
  for (const char byte : word) ids.push_back(id(byte));
  for (;;) {
    std::size_t best_rank = merges.size();
    std::size_t best = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      for (std::size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].left == ids[i] && merges[rank].right == ids[i + 1]) {
          best_rank = rank;
          best = i;
        }
      }
    }
    if (best_rank == merges.size()) return ids;
    ids[best] = merges[best_rank].result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

std::vector<Merge> random_merges(std::mt19937& random) {
  std::vector<std::int32_t> symbols{id('a'), id('b'), id('c')};
  std::vector<Merge> merges;
  std::int32_t next = 500;
  for (int i = 0; i < 40; ++i) {
    const Merge merge{symbols[random() % symbols.size()], symbols[random() % symbols.size()], next};
    const bool known = std::any_of(merges.begin(), merges.end(), [&](const Merge& m) {
      return m.left == merge.left && m.right == merge.right;
    });
    if (known) continue;
    merges.push_back(merge);
    symbols.push_back(next--);
  }
  std::shuffle(merges.begin(), merges.end(), random);
  return merges;
}

TEST(BytePairEncoder, TheLowestRankIsMergedFirstAndTheLeftmostOfEquals) {
  const std::vector<Merge> merges{
      {id('b'), id('c'), 9}, {id('a'), id('b'), 3}, {id('a'), id('a'), 5}};
  const BytePairEncoder encoder(byte_ids(), merges);
  EXPECT_EQ(encode(encoder, "abc"), (std::vector<std::int32_t>{id('a'), 9}));
  EXPECT_EQ(encode(encoder, "aaa"), (std::vector<std::int32_t>{5, id('a')}));
  EXPECT_EQ(encode(encoder, "x"), (std::vector<std::int32_t>{id('x')}));
  EXPECT_TRUE(encode(encoder, "").empty());
}

TEST(BytePairEncoder, WordsOfAllLengthsFollowTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    const std::vector<Merge> merges = random_merges(random);
    const BytePairEncoder encoder(byte_ids(), merges);
    for (int i = 0; i < 40; ++i) {
      std::string word(random() % 70, 'a');
      for (char& byte : word) byte = static_cast<char>('a' + random() % 4);
      ASSERT_EQ(encode(encoder, word), encode_slowly(merges, word)) << word;
    }
  }
}

TEST(BytePairEncoder, NoMergesLeaveBytes) {
  const BytePairEncoder encoder(byte_ids(), {});
  EXPECT_EQ(encode(encoder, "ab"), (std::vector<std::int32_t>{id('a'), id('b')}));
}

TEST(BytePairEncoder, AMillionTimesOneLetterIsDoneInASecond) {
  std::vector<Merge> merges{{id('a'), id('a'), 0}};
  for (std::int32_t i = 0; i < 12; ++i) merges.push_back({i, i, i + 1});
  const BytePairEncoder encoder(byte_ids(), merges);
  const auto start = std::chrono::steady_clock::now();
  const auto ids = encode(encoder, std::string(1'000'000, 'a'));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(ids.size(), 1'000'000 / 8192 + 2);  // the rest is 512 + 64 letters
  EXPECT_LT(seconds.count(), 5.0);  // a quadratic scan takes hours, also on a slow, busy machine
}

}  // namespace
}  // namespace linformer
