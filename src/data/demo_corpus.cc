// SPDX-License-Identifier: Apache-2.0
#include "data/demo_corpus.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "data/demo_sentences.h"

namespace linformer {
namespace {

constexpr std::size_t kMinimumWords = 3;
constexpr std::size_t kMaximumWords = 9;

std::size_t count_words(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
}

bool has_good_length(const SentencePair& pair) {
  const std::size_t source = count_words(pair.source);
  const std::size_t target = count_words(pair.target);
  return std::min(source, target) >= kMinimumWords && std::max(source, target) <= kMaximumWords;
}

/// Calls `visit` with each word of `text`: each run of letters and digits.
template <typename Visit>
void for_each_word(std::string_view text, const Visit& visit) {
  constexpr std::string_view kBetween = " .,:?!'-";
  while (true) {
    const std::size_t begin = text.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return;
    const std::size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
    visit(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

std::vector<demo::Template> all_templates() {
  std::vector<demo::Template> all;
  for (const auto& part : {demo::clause_templates(), demo::subordinate_templates(),
                           demo::compound_templates(), demo::number_templates()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// Distinct pairs, each pattern with its share; a pattern that has no more to say leaves the rest
/// to the others.
std::vector<SentencePair> draw_pairs(demo::Chooser& chooser, std::size_t count) {
  const std::vector<demo::Template> templates = all_templates();
  std::size_t total_weight = 0;
  for (const demo::Template& pattern : templates)
    total_weight += static_cast<std::size_t>(pattern.weight);
  std::vector<SentencePair> pairs;
  pairs.reserve(count);
  std::unordered_set<std::string> seen;
  while (pairs.size() < count) {
    std::size_t draw = chooser.below(total_weight);
    std::size_t index = 0;
    while (draw >= static_cast<std::size_t>(templates[index].weight)) {
      draw -= static_cast<std::size_t>(templates[index++].weight);
    }
    const demo::Phrase phrase = templates[index].make(chooser);
    SentencePair pair{demo::capitalized(phrase.english), demo::capitalized(phrase.german)};
    if (has_good_length(pair) && seen.insert(pair.source).second) pairs.push_back(std::move(pair));
  }
  return pairs;
}

using WordCounts = std::unordered_map<std::string, std::size_t>;

WordCounts count_all_words(const std::vector<SentencePair>& pairs,
                           std::string SentencePair::*side) {
  WordCounts counts;
  for (const SentencePair& pair : pairs) {
    for_each_word(pair.*side, [&](std::string_view word) { ++counts[std::string(word)]; });
  }
  return counts;
}

/// Occurrences that a word needs in all before one may be held out: the held-out splits use up some
/// of them.
bool is_common(const WordCounts& counts, std::string_view text) {
  constexpr std::size_t kReserve = 10;
  bool common = true;
  for_each_word(text, [&](std::string_view word) {
    common = common && counts.at(std::string(word)) >= kDemoMinimumWordCount + kReserve;
  });
  return common;
}

}  // namespace

DemoCorpus make_demo_corpus(std::uint64_t seed) {
  demo::Chooser chooser(seed);
  std::vector<SentencePair> pairs = draw_pairs(chooser, kDemoTrainPairs + 2 * kDemoHeldOutPairs);
  const WordCounts source_counts = count_all_words(pairs, &SentencePair::source);
  const WordCounts target_counts = count_all_words(pairs, &SentencePair::target);
  DemoCorpus corpus;
  corpus.train.reserve(kDemoTrainPairs);
  for (SentencePair& pair : pairs) {
    const bool wanted = corpus.test.size() < kDemoHeldOutPairs;
    if (wanted && is_common(source_counts, pair.source) && is_common(target_counts, pair.target)) {
      auto& split = corpus.validation.size() < kDemoHeldOutPairs ? corpus.validation : corpus.test;
      split.push_back(std::move(pair));
    } else {
      corpus.train.push_back(std::move(pair));
    }
  }
  LF_CHECK(corpus.test.size() == kDemoHeldOutPairs, "too few held-out sentences");
  return corpus;
}

}  // namespace linformer
