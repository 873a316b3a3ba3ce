// SPDX-License-Identifier: Apache-2.0
#include "data/document_joiner.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

using Ids = std::vector<std::int32_t>;

struct Joined {
  std::vector<Ids> sources;
  std::vector<Ids> targets;
  std::vector<std::int64_t> sentences;
  DocumentJoiner joiner;

  explicit Joined(std::int64_t capacity)
      : joiner(capacity, 9,
               [this](std::span<const std::int32_t> source, std::span<const std::int32_t> target,
                      std::int64_t count) {
                 sources.emplace_back(source.begin(), source.end());
                 targets.emplace_back(target.begin(), target.end());
                 sentences.push_back(count);
               }) {}
};

TEST(DocumentJoiner, JoinsWhatFitsWithSeparatorsOnBothSides) {
  Joined out(5);
  out.joiner.add(Ids{1}, Ids{2, 2}, "a");
  out.joiner.add(Ids{3}, Ids{4, 4}, "a");  // the target is full: 2 + 1 + 2
  out.joiner.add(Ids{5}, Ids{6}, "a");
  out.joiner.finish();
  EXPECT_EQ(out.sources, (std::vector<Ids>{{1, 9, 3}, {5}}));
  EXPECT_EQ(out.targets, (std::vector<Ids>{{2, 2, 9, 4, 4}, {6}}));
  EXPECT_EQ(out.sentences, (std::vector<std::int64_t>{2, 1}));
}

TEST(DocumentJoiner, TheSourceLimitsToo) {
  Joined out(4);
  out.joiner.add(Ids{1, 1}, Ids{2}, "a");
  out.joiner.add(Ids{3, 3}, Ids{4}, "a");
  out.joiner.finish();
  EXPECT_EQ(out.sources, (std::vector<Ids>{{1, 1}, {3, 3}}));
}

TEST(DocumentJoiner, DoesNotJoinDocuments) {
  Joined out(100);
  for (const char* document : {"a", "a", "b", "a"}) out.joiner.add(Ids{1}, Ids{2}, document);
  out.joiner.finish();
  EXPECT_EQ(out.sources, (std::vector<Ids>{{1, 9, 1}, {1}, {1}}));
}

TEST(DocumentJoiner, KeepsEmptySentencesAndTheirPlaces) {
  Joined out(100);
  out.joiner.add(Ids{}, Ids{2}, "a");
  out.joiner.add(Ids{1}, Ids{}, "a");
  out.joiner.finish();
  EXPECT_EQ(out.sources, (std::vector<Ids>{{9, 1}}));
  EXPECT_EQ(out.targets, (std::vector<Ids>{{2, 9}}));
}

TEST(DocumentJoiner, ASentenceAboveTheCapacityStandsAlone) {
  Joined out(3);
  out.joiner.add(Ids{1}, Ids{1}, "a");
  out.joiner.add(Ids{2, 2, 2, 2}, Ids{2}, "a");
  out.joiner.add(Ids{3}, Ids{3}, "a");
  out.joiner.finish();
  EXPECT_EQ(out.sources, (std::vector<Ids>{{1}, {2, 2, 2, 2}, {3}}));
}

TEST(DocumentJoiner, OfNothingGivesNothing) {
  Joined out(3);
  out.joiner.finish();
  EXPECT_TRUE(out.sources.empty());
}

/// The sentences of `ids` and whether there were as many.
std::pair<std::vector<Ids>, bool> split(const Ids& ids, std::size_t count) {
  const SplitSentences parts = split_joined(ids, 9, count);
  std::pair<std::vector<Ids>, bool> out{{}, parts.is_aligned};
  for (const auto sentence : parts.sentences) {
    out.first.emplace_back(sentence.begin(), sentence.end());
  }
  return out;
}

using Split = std::pair<std::vector<Ids>, bool>;

TEST(SplitJoined, TakesApartWhatWasJoined) {
  EXPECT_EQ(split({1, 9, 9, 2, 3}, 3), (Split{{{1}, {}, {2, 3}}, true}));
  EXPECT_EQ(split({1, 2}, 1), (Split{{{1, 2}}, true}));
}

TEST(SplitJoined, MissingSentencesAreEmptyAtTheEnd) {
  EXPECT_EQ(split({1, 9, 2}, 4), (Split{{{1}, {2}, {}, {}}, false}));
  EXPECT_EQ(split({}, 2), (Split{{{}, {}}, false}));
}

TEST(SplitJoined, SurplusStaysInTheLastSentence) {
  EXPECT_EQ(split({1, 9, 2, 9, 3}, 2), (Split{{{1}, {2, 9, 3}}, false}));
  EXPECT_EQ(split({1, 9}, 1), (Split{{{1, 9}}, false}));
}

}  // namespace
}  // namespace linformer
