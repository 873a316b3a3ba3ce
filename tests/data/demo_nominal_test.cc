// SPDX-License-Identifier: Apache-2.0
#include "data/demo_nominal.h"

#include <gtest/gtest.h>

#include <vector>

namespace linformer::demo {
namespace {

constexpr Case kNominative = Case::kNominative;
constexpr Case kAccusative = Case::kAccusative;
constexpr Case kDative = Case::kDative;

Nominal phrase(std::string_view noun, Determiner determiner, std::string_view adjective = {},
               bool plural = false) {
  return noun_phrase(noun_named(noun), determiner, plural,
                     adjective.empty() ? nullptr : &adjective_named(adjective));
}

std::vector<std::string> cases(const Nominal& nominal) {
  return {nominal.german(kNominative), nominal.german(kAccusative), nominal.german(kDative)};
}

using Forms = std::vector<std::string>;

TEST(DemoNominal, DefiniteArticlesAndWeakAdjectives) {
  EXPECT_EQ(cases(phrase("hat", Determiner::kThe, "red")),
            (Forms{"der rote Hut", "den roten Hut", "dem roten Hut"}));
  EXPECT_EQ(cases(phrase("jacket", Determiner::kThe, "red")),
            (Forms{"die rote Jacke", "die rote Jacke", "der roten Jacke"}));
  EXPECT_EQ(cases(phrase("shirt", Determiner::kThe, "red")),
            (Forms{"das rote Hemd", "das rote Hemd", "dem roten Hemd"}));
  EXPECT_EQ(cases(phrase("hat", Determiner::kThe, "red", true)),
            (Forms{"die roten Hüte", "die roten Hüte", "den roten Hüten"}));
}

TEST(DemoNominal, IndefiniteArticlesAndMixedAdjectives) {
  EXPECT_EQ(cases(phrase("hat", Determiner::kA, "old")),
            (Forms{"ein alter Hut", "einen alten Hut", "einem alten Hut"}));
  EXPECT_EQ(cases(phrase("jacket", Determiner::kMy, "old")),
            (Forms{"meine alte Jacke", "meine alte Jacke", "meiner alten Jacke"}));
  EXPECT_EQ(cases(phrase("shirt", Determiner::kNo, "old")),
            (Forms{"kein altes Hemd", "kein altes Hemd", "keinem alten Hemd"}));
  EXPECT_EQ(cases(phrase("shirt", Determiner::kOur, "old", true)),
            (Forms{"unsere alten Hemden", "unsere alten Hemden", "unseren alten Hemden"}));
}

TEST(DemoNominal, WithoutArticleAdjectivesAreStrong) {
  EXPECT_EQ(cases(phrase("apple", Determiner::kA, "big", true)),
            (Forms{"große Äpfel", "große Äpfel", "großen Äpfeln"}));
  Nominal two = phrase("car", Determiner::kA, "new", true);
  two.number = {"two", "zwei"};
  EXPECT_EQ(cases(two), (Forms{"zwei neue Autos", "zwei neue Autos", "zwei neuen Autos"}));
  EXPECT_EQ(two.english(true), "two new cars");
}

TEST(DemoNominal, ThisAndWhichDeclineLikeThe) {
  EXPECT_EQ(cases(phrase("table", Determiner::kThis, "small")),
            (Forms{"dieser kleine Tisch", "diesen kleinen Tisch", "diesem kleinen Tisch"}));
  EXPECT_EQ(phrase("table", Determiner::kWhich).german(kAccusative), "welchen Tisch");
  EXPECT_EQ(phrase("book", Determiner::kThis).german(kNominative), "dieses Buch");
  EXPECT_EQ(phrase("book", Determiner::kThis, {}, true).english(false), "these books");
}

TEST(DemoNominal, WeakNounsTakeAnEnding) {
  EXPECT_EQ(cases(phrase("student", Determiner::kThe)),
            (Forms{"der Student", "den Studenten", "dem Studenten"}));
  EXPECT_EQ(cases(phrase("boy", Determiner::kThe)),
            (Forms{"der Junge", "den Jungen", "dem Jungen"}));
}

TEST(DemoNominal, DativePluralsEndInNButAfterNAndS) {
  EXPECT_EQ(phrase("child", Determiner::kThe, {}, true).german(kDative), "den Kindern");
  EXPECT_EQ(phrase("woman", Determiner::kThe, {}, true).german(kDative), "den Frauen");
  EXPECT_EQ(phrase("radio", Determiner::kThe, {}, true).german(kDative), "den Radios");
}

TEST(DemoNominal, ExpensiveLosesAnE) {
  EXPECT_EQ(phrase("coat", Determiner::kA, "expensive").german(kNominative), "ein teurer Mantel");
}

TEST(DemoNominal, EnglishArticlesFollowTheSound) {
  EXPECT_EQ(phrase("apple", Determiner::kA).english(true), "an apple");
  EXPECT_EQ(phrase("apple", Determiner::kA, "big").english(true), "a big apple");
  EXPECT_EQ(phrase("coat", Determiner::kA, "expensive").english(true), "an expensive coat");
  EXPECT_EQ(phrase("apple", Determiner::kA, {}, true).english(true), "apples");
}

TEST(DemoNominal, PronounsDecline) {
  EXPECT_EQ(cases(pronoun(Person::kHe)), (Forms{"er", "ihn", "ihm"}));
  EXPECT_EQ(cases(pronoun(Person::kHe, Gender::kFeminine)), (Forms{"sie", "sie", "ihr"}));
  EXPECT_EQ(cases(pronoun(Person::kThey)), (Forms{"sie", "sie", "ihnen"}));
  EXPECT_EQ(pronoun(Person::kWe).english(true), "us");
  EXPECT_EQ(pronoun(Person::kI).english(false), "I");
}

TEST(DemoNominal, NamesStayAsTheyAre) {
  EXPECT_EQ(cases(named_person("Anna")), (Forms{"Anna", "Anna", "Anna"}));
  EXPECT_TRUE(named_person("Anna").definite());
}

TEST(DemoNominal, PrepositionsMergeWithTheArticle) {
  const Nominal house = phrase("house", Determiner::kThe, "old");
  EXPECT_EQ(german_prepositional("in", house, kDative), "im alten Haus");
  EXPECT_EQ(german_prepositional("in", house, kAccusative), "ins alte Haus");
  EXPECT_EQ(german_prepositional("zu", phrase("woman", Determiner::kThe), kDative), "zur Frau");
  EXPECT_EQ(german_prepositional("auf", house, kAccusative), "auf das alte Haus");
  EXPECT_EQ(german_prepositional("in", phrase("house", Determiner::kMy), kDative),
            "in meinem Haus");
  EXPECT_EQ(german_prepositional("mit", pronoun(Person::kI), kDative), "mit mir");
}

TEST(DemoNominal, RelativePronounsAgree) {
  EXPECT_EQ(relative_pronoun(phrase("coat", Determiner::kThe), kAccusative), "den");
  EXPECT_EQ(relative_pronoun(phrase("girl", Determiner::kThe), kNominative), "das");
  EXPECT_EQ(relative_pronoun(phrase("girl", Determiner::kThe, {}, true), kNominative), "die");
}

TEST(DemoNominal, SentencesBeginWithACapital) {
  EXPECT_EQ(capitalized("über"), "Über");
  EXPECT_EQ(capitalized("der"), "Der");
  EXPECT_EQ(capitalized("14 Uhr"), "14 Uhr");
  EXPECT_EQ(capitalized(""), "");
}

TEST(DemoNominal, JoinLeavesOutWhatIsEmpty) { EXPECT_EQ(join({"a", "", "b", ""}), "a b"); }

}  // namespace
}  // namespace linformer::demo
