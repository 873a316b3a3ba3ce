// SPDX-License-Identifier: Apache-2.0
#include "data/demo_corpus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/utf8.h"

namespace linformer {
namespace {

const DemoCorpus& corpus() {
  static const DemoCorpus made = make_demo_corpus(1);
  return made;
}

std::vector<SentencePair> all_pairs(const DemoCorpus& from) {
  std::vector<SentencePair> all = from.train;
  all.insert(all.end(), from.validation.begin(), from.validation.end());
  all.insert(all.end(), from.test.begin(), from.test.end());
  return all;
}

/// Runs of letters and digits; bytes above ASCII are letters.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (value >= 0x80 || std::isalnum(value) != 0) {
      words.back() += byte;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

TEST(DemoCorpus, TheSplitsHaveTheirSizes) {
  EXPECT_EQ(corpus().train.size(), kDemoTrainPairs);
  EXPECT_EQ(corpus().validation.size(), kDemoHeldOutPairs);
  EXPECT_EQ(corpus().test.size(), kDemoHeldOutPairs);
  EXPECT_GE(kDemoTrainPairs, 30000U);
}

TEST(DemoCorpus, NoEnglishSentenceOccursTwiceInAnySplit) {
  std::unordered_set<std::string> seen;
  for (const SentencePair& pair : all_pairs(corpus()))
    EXPECT_TRUE(seen.insert(pair.source).second) << pair.source;
}

TEST(DemoCorpus, TheSameSeedGivesTheSameCorpus) {
  const DemoCorpus again = make_demo_corpus(1);
  const DemoCorpus other = make_demo_corpus(2);
  std::size_t equal = 0;
  for (std::size_t index = 0; index < again.train.size(); ++index) {
    ASSERT_EQ(again.train[index].source, corpus().train[index].source);
    ASSERT_EQ(again.train[index].target, corpus().train[index].target);
    equal += other.train[index].source == again.train[index].source ? 1 : 0;
  }
  EXPECT_EQ(again.test.back().target, corpus().test.back().target);
  EXPECT_LT(equal, again.train.size() / 10);
}

TEST(DemoCorpus, GermanIsAFunctionOfEnglishForEverySeed) {
  std::unordered_map<std::string, std::string> german;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    for (const SentencePair& pair : all_pairs(seed == 1 ? corpus() : make_demo_corpus(seed))) {
      const auto [entry, fresh] = german.emplace(pair.source, pair.target);
      ASSERT_TRUE(fresh || entry->second == pair.target)
          << pair.source << ": " << entry->second << " / " << pair.target;
    }
  }
  EXPECT_GT(german.size(), 2 * kDemoTrainPairs);
}

TEST(DemoCorpus, EveryHeldOutWordIsCommonInTraining) {
  for (std::string SentencePair::*side : {&SentencePair::source, &SentencePair::target}) {
    std::unordered_map<std::string, std::size_t> counts;
    for (const SentencePair& pair : corpus().train) {
      for (const std::string& word : words_of(pair.*side)) ++counts[word];
    }
    for (const auto* split : {&corpus().validation, &corpus().test}) {
      for (const SentencePair& pair : *split) {
        for (const std::string& word : words_of(pair.*side)) {
          EXPECT_GE(counts[word], kDemoMinimumWordCount) << word << " in " << pair.*side;
        }
      }
    }
  }
}

TEST(DemoCorpus, SentencesAreShortLinesOfCleanText) {
  for (const SentencePair& pair : all_pairs(corpus())) {
    for (const std::string& text : {pair.source, pair.target}) {
      const auto spaces = std::count(text.begin(), text.end(), ' ');
      EXPECT_GE(spaces, 2) << text;
      EXPECT_LE(spaces, 13) << text;
      EXPECT_FALSE(utf8_first_invalid(text).has_value());
      EXPECT_EQ(text.find_first_of("\n\t\""), std::string::npos);
      EXPECT_FALSE(text.front() >= 'a' && text.front() <= 'z') << text;
    }
    EXPECT_EQ(pair.source.back(), pair.target.back());
  }
}

TEST(DemoCorpus, TheVocabularyIsModerate) {
  std::set<std::string> english;
  std::set<std::string> german;
  for (const SentencePair& pair : all_pairs(corpus())) {
    for (std::string& word : words_of(pair.source)) english.insert(std::move(word));
    for (std::string& word : words_of(pair.target)) german.insert(std::move(word));
  }
  EXPECT_LT(english.size(), 900U);
  EXPECT_LT(german.size(), 1400U);
}

TEST(DemoCorpus, HeldOutSentencesAreOfEverySort) {
  const auto share = [](std::string_view part) {
    return std::count_if(corpus().test.begin(), corpus().test.end(), [&](const SentencePair& pair) {
      return pair.target.find(part) != std::string::npos;
    });
  };
  for (const std::string_view part :
       {", weil ", ", dass ", "Wenn ", " nicht", "?", " um ", " geboren", " Jahre alt", " als ",
        ", die ", " Euro", "Bitte ", "wird ", "hat "}) {
    EXPECT_GE(share(part), 1) << part;
  }
}

}  // namespace
}  // namespace linformer
