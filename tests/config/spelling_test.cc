// SPDX-License-Identifier: Apache-2.0
#include "config/spelling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

namespace linformer {
namespace {

constexpr std::array<std::string_view, 2> kTypes{"Vanilla transformer", "Linformer"};

TEST(EditDistance, CountsInsertDeleteReplaceAndSwap) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("train", "train"), 0U);
  EXPECT_EQ(edit_distance("trian", "train"), 1U);
  EXPECT_EQ(edit_distance("typ", "type"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);
}

/// Up to 7 letters out of three.
std::string random_word(std::mt19937& random) {
  std::string out;
  for (unsigned i = random() % 8; i > 0; --i) out += static_cast<char>('a' + random() % 3);
  return out;
}

TEST(EditDistance, IsSymmetricAndObeysOneEditSteps) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    const std::string a = random_word(random);
    const std::string b = random_word(random);
    EXPECT_EQ(edit_distance(a, b), edit_distance(b, a));
    EXPECT_EQ(edit_distance(a, b) == 0, a == b);
    const std::size_t longer = edit_distance(a, b + "x");
    EXPECT_LE(longer, edit_distance(a, b) + 1);
    EXPECT_GE(longer + 1, edit_distance(a, b));
  }
}

TEST(Nearest, FindsWhatIsCloseEnough) {
  EXPECT_EQ(nearest("linformer", kTypes, 4), "Linformer");
  EXPECT_EQ(nearest("Linformr", kTypes, 1), "Linformer");
  EXPECT_EQ(nearest("zebra", kTypes, 2), "");
}

TEST(Nearest, TakesABeginningForTheWholeWord) {
  EXPECT_EQ(nearest("Vanila", kTypes, 3), "Vanilla transformer");
  EXPECT_EQ(nearest("Vanilla", kTypes, 1), "Vanilla transformer");
}

TEST(Nearest, FindsExactlyWhatIsWithinTheEdits) {
  std::mt19937 random(8);
  for (int i = 0; i < 2000; ++i) {
    const std::string typed = "a" + random_word(random);
    const std::string word = "b" + random_word(random);
    std::size_t edits = edit_distance(typed, word);
    for (std::size_t length = 0; length < word.size(); ++length)
      edits = std::min(edits, edit_distance(typed, word.substr(0, length)) + 1);
    const std::array<std::string_view, 1> words{word};
    EXPECT_EQ(nearest(typed, words, edits), word) << typed;
    EXPECT_EQ(nearest(typed, words, edits - 1), "") << typed << " " << word;
  }
}

TEST(Nearest, GivesUpOnEmptyAndEndlessWords) {
  EXPECT_EQ(nearest("", kTypes, 5), "");
  EXPECT_EQ(nearest(std::string(100000, 'L'), kTypes, 1000000), "");
}

TEST(ToleratedEdits, GrowsWithTheWord) {
  EXPECT_EQ(tolerated_edits("k"), 1U);
  EXPECT_EQ(tolerated_edits("trian"), 2U);
  EXPECT_EQ(tolerated_edits("learning_rat"), 3U);
}

}  // namespace
}  // namespace linformer
