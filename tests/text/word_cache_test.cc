// SPDX-License-Identifier: Apache-2.0
#include "text/word_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace linformer {
namespace {

using Ids = std::vector<std::int32_t>;

WordCache::Key key(std::string word) {
  const std::size_t length = word.size();
  word.resize(length + 16, '#');
  return WordCache::key_of(word.data(), length);
}

Ids find(const WordCache& cache, const std::string& word) {
  const auto* entry = WordCache::find(cache.bucket_of(key(word)), key(word));
  if (entry == nullptr) return {};
  const auto ids = cache.ids_of(*entry);
  return {ids.begin(), ids.end()};
}

void insert(WordCache& cache, const std::string& word, const Ids& ids) {
  cache.make_room();
  cache.insert(cache.bucket_of(key(word)), key(word), ids);
}

TEST(WordCache, AKeyIsTheWordAndItsLengthAlone) {
  const std::string text = "abcdefghijklmnopqrstuvwxyz";
  for (std::size_t length = 1; length <= WordCache::kMaxShortBytes; ++length) {
    const auto one = WordCache::key_of(text.data(), length);
    const auto other = key(text.substr(0, length));
    EXPECT_EQ(one.low, other.low);
    EXPECT_EQ(one.high, other.high);
  }
  EXPECT_NE(key("a").high, key(std::string("a\0", 2)).high);
}

TEST(WordCache, AnEmptyCacheKnowsNothing) {
  const WordCache cache;
  EXPECT_TRUE(find(cache, "a").empty());
  EXPECT_TRUE(cache.find_long("sixteen letters.").empty());
}

TEST(WordCache, ShortWordsKeepOneIdToOneAByte) {
  WordCache cache;
  insert(cache, " the", {5});
  insert(cache, "abcdefghijklmno", {1, 2, 3, 4});
  const Ids most{9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5};
  insert(cache, "onmlkjihgfedcba", most);
  insert(cache, "fives", {1, 2, 3, 4, 5});
  EXPECT_EQ(find(cache, "onmlkjihgfedcba"), most);
  EXPECT_EQ(find(cache, "fives"), (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(find(cache, " the"), (Ids{5}));
  EXPECT_EQ(find(cache, "abcdefghijklmno"), (Ids{1, 2, 3, 4}));
  EXPECT_TRUE(find(cache, " thE").empty());
  EXPECT_TRUE(find(cache, "abcdefghijklmn").empty());
}

TEST(WordCache, KeepsWordsWhileItGrows) {
  WordCache cache;
  for (int i = 0; i < 60'000; ++i) insert(cache, std::to_string(i), Ids(1 + i % 6, i));
  int known = 0;
  for (int i = 0; i < 60'000; ++i) {
    const Ids got = find(cache, std::to_string(i));
    if (got.empty()) continue;
    ASSERT_EQ(got, Ids(1 + i % 6, i));
    ++known;
  }
  EXPECT_GT(known, 58'000);  // few sets of four get five before the table grows
}

TEST(WordCache, WhatItStillKnowsIsRightWhenItOverflows) {
  WordCache cache;
  std::map<std::string, Ids> truth;
  std::mt19937 random(3);
  std::size_t known = 0;
  for (int i = 0; i < 700'000; ++i) {
    const std::string word = std::to_string(random());
    if (!find(cache, word).empty()) continue;
    const Ids ids(1 + random() % 9, i);
    truth[word] = ids;
    insert(cache, word, ids);
  }
  for (const auto& [word, ids] : truth) {
    const Ids got = find(cache, word);
    if (got.empty()) continue;
    ASSERT_EQ(got, ids) << word;
    ++known;
  }
  EXPECT_GT(known, 100'000U);
  EXPECT_LT(known, truth.size());
}

TEST(WordCache, LongWordsAreKeptUntilTheTableIsFull) {
  WordCache cache;
  const std::string stem(100, 'x');
  for (std::int32_t i = 0; i < 200'000; ++i) {
    const std::string word = stem + std::to_string(i);
    cache.insert_long(word, Ids{i, i + 1, i + 2, i + 3, i + 4});
    const auto got = cache.find_long(word);
    if (got.empty()) continue;
    ASSERT_EQ(Ids(got.begin(), got.end()), (Ids{i, i + 1, i + 2, i + 3, i + 4}));
  }
  EXPECT_FALSE(cache.find_long(stem + "199999").empty());
  EXPECT_TRUE(cache.find_long(stem + "0").empty());
  cache.insert_long(std::string(256, 'y'), Ids{1});
  EXPECT_TRUE(cache.find_long(std::string(256, 'y')).empty());
}

}  // namespace
}  // namespace linformer
