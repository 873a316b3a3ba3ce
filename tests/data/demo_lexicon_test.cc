// SPDX-License-Identifier: Apache-2.0
#include "data/demo_lexicon.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/utf8.h"
#include "linformer/error.h"

namespace linformer::demo {
namespace {

std::size_t count_words(std::string_view words) {
  return words.empty() ? 0
                       : static_cast<std::size_t>(std::count(words.begin(), words.end(), ' ')) + 1;
}

TEST(DemoLexicon, NounsAreUniqueCapitalAndOfSomeKind) {
  std::set<std::string_view> seen;
  for (const Noun& noun : nouns()) {
    EXPECT_TRUE(seen.insert(noun.english).second) << noun.english;
    EXPECT_FALSE(noun.german.front() >= 'a' && noun.german.front() <= 'z') << noun.german;
    EXPECT_NE(noun.kinds, 0U) << noun.english;
    EXPECT_EQ(noun.english_plural.empty(), noun.german_plural.empty()) << noun.english;
  }
}

TEST(DemoLexicon, WeakNounsAreMasculine) {
  for (const Noun& noun : nouns()) {
    if (!noun.german_oblique.empty()) {
      EXPECT_EQ(noun.gender, Gender::kMasculine) << noun.english;
      EXPECT_EQ(noun.german_oblique, noun.german_plural) << noun.english;
    }
  }
}

TEST(DemoLexicon, VerbsHaveAllTheirForms) {
  for (const Verb& verb : verbs()) {
    EXPECT_EQ(count_words(verb.english), 4U) << verb.english;
    EXPECT_EQ(count_words(verb.german), 6U) << verb.german;
    EXPECT_TRUE(verb.german_past.empty() || count_words(verb.german_past) == 3U) << verb.german;
    EXPECT_TRUE(word_at(verb.german, 4).starts_with(verb.prefix)) << verb.german;
    EXPECT_TRUE(word_at(verb.english, 2).ends_with("ing")) << verb.english;
  }
}

TEST(DemoLexicon, ParticiplesOfSeparableVerbsHoldGeInside) {
  for (const Verb& verb : verbs()) {
    if (verb.prefix.empty()) continue;
    const std::string_view participle = word_at(verb.german, 4);
    EXPECT_TRUE(participle.substr(verb.prefix.size()).starts_with("ge")) << participle;
  }
}

TEST(DemoLexicon, ModalsHaveFourForms) {
  for (const Modal& modal : modals()) {
    EXPECT_EQ(count_words(modal.german), 4U) << modal.german;
    EXPECT_EQ(modal.english_past.empty(), modal.german_past.empty()) << modal.german;
  }
}

TEST(DemoLexicon, EveryAdjectiveHasANounToDescribe) {
  for (const Adjective& adjective : adjectives()) {
    EXPECT_TRUE(std::any_of(nouns().begin(), nouns().end(), [&](const Noun& noun) {
      return (noun.kinds & adjective.kinds) != 0;
    })) << adjective.english;
    EXPECT_EQ(adjective.english_more.empty(), adjective.german_more.empty()) << adjective.english;
  }
}

TEST(DemoLexicon, PlacesSayWhereAndWhereTo) {
  for (const Place& place : places()) {
    EXPECT_NE(place.german_at, place.german_to);
    EXPECT_NE(place.kind & kAnyPlace, 0U);
  }
}

TEST(DemoLexicon, WordsAreFoundByName) {
  EXPECT_EQ(word_at(verb_named("einschalten").german, 3), "schaltet");
  EXPECT_EQ(verb_named("zumachen").prefix, "zu");
  EXPECT_EQ(noun_named("girl").german, "Mädchen");
  EXPECT_EQ(adjective_named("expensive").german_stem, "teur");
  EXPECT_THROW(verb_named("fernsehen"), InternalError);
  EXPECT_THROW(noun_named("unicorn"), InternalError);
  EXPECT_THROW(adjective_named("rare"), InternalError);
}

TEST(DemoLexicon, WordAtCountsFromZero) {
  EXPECT_EQ(word_at("a bc d", 1), "bc");
  EXPECT_EQ(word_at("a bc d", 2), "d");
  EXPECT_THROW(word_at("a bc d", 3), InternalError);
}

}  // namespace
}  // namespace linformer::demo
