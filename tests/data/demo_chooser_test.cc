// SPDX-License-Identifier: Apache-2.0
#include "data/demo_chooser.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "linformer/error.h"

namespace linformer::demo {
namespace {

constexpr int kDraws = 2000;

TEST(DemoChooser, TheSameSeedSaysTheSame) {
  Chooser one(5);
  Chooser other(5);
  Chooser third(6);
  int different = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const std::size_t value = one.below(1000);
    EXPECT_EQ(other.below(1000), value);
    different += third.below(1000) == value ? 0 : 1;
  }
  EXPECT_GT(different, kDraws / 2);
}

TEST(DemoChooser, SplitMixGivesItsPublishedNumbers) {
  // The first output for state 1234567 is 6457827717110365317, of which the upper 32 bits are used.
  EXPECT_EQ(Chooser(1234567).below(0x80000000U), (6457827717110365317U >> 32) >> 1);
}

TEST(DemoChooser, NumbersBelowABoundAreUniform) {
  Chooser chooser(1);
  std::array<int, 7> counts{};
  for (int draw = 0; draw < 7000; ++draw) ++counts[chooser.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
  EXPECT_THROW(chooser.below(0), InternalError);
  for (int draw = 0; draw < kDraws; ++draw) {
    const std::int64_t value = chooser.between(-2, 2);
    EXPECT_GE(value, -2);
    EXPECT_LE(value, 2);
  }
}

TEST(DemoChooser, NobodyIsTheirOwnObject) {
  Chooser chooser(2);
  for (int draw = 0; draw < kDraws; ++draw) {
    const Nominal subject = chooser.subject();
    const Nominal object = chooser.person(subject);
    EXPECT_FALSE(same_words(subject, object));
    EXPECT_FALSE(object.is_pronoun() && !subject.is_pronoun());
  }
}

TEST(DemoChooser, ThingsAreOfTheKindAskedFor) {
  Chooser chooser(3);
  for (int draw = 0; draw < kDraws; ++draw) {
    const Nominal thing = chooser.thing(chooser.subject(), kReading | kFood);
    EXPECT_NE(thing.noun->kinds & (kReading | kFood), 0U);
    EXPECT_TRUE(chooser.thing(chooser.subject(), kClothing, true).definite());
    if (thing.adjective != nullptr) {
      EXPECT_NE(thing.adjective->kinds & thing.noun->kinds, 0U);
    }
  }
}

TEST(DemoChooser, RelativesAreNotDescribed) {
  Chooser chooser(4);
  for (int draw = 0; draw < kDraws; ++draw)
    EXPECT_EQ(chooser.adjective(noun_named("sister")), nullptr);
}

TEST(DemoChooser, PronounsTakeUpTheirSubject) {
  EXPECT_EQ(pronoun_for(named_person("Anna")).english(false), "she");
  EXPECT_EQ(pronoun_for(named_person("Peter")).english(false), "he");
  EXPECT_EQ(
      pronoun_for(noun_phrase(noun_named("woman"), Determiner::kThe)).german(Case::kNominative),
      "sie");
  EXPECT_EQ(pronoun_for(noun_phrase(noun_named("boy"), Determiner::kThe, true)).english(false),
            "they");
  EXPECT_EQ(pronoun_for(pronoun(Person::kI)).english(false), "I");
}

TEST(DemoChooser, SubjectsThatAPronounTakesUpAreNotNeuter) {
  Chooser chooser(5);
  for (int draw = 0; draw < kDraws; ++draw) {
    const Nominal subject = chooser.human_subject();
    EXPECT_TRUE(subject.noun == nullptr || subject.plural ||
                subject.noun->gender != Gender::kNeuter);
    EXPECT_NE(chooser.other_subject().person(), Person::kI);
  }
}

TEST(DemoChooser, TimesSuitTheTense) {
  Chooser chooser(6);
  for (int draw = 0; draw < kDraws; ++draw) {
    EXPECT_EQ(chooser.time(Tense::kPast).german.find("morgen"), std::string::npos);
    EXPECT_EQ(chooser.time(Tense::kFuture).german.find("gestern"), std::string::npos);
    EXPECT_EQ(chooser.time(Tense::kSimple).german.substr(0, 5), "jeden");
  }
}

TEST(DemoChooser, PlacesAreOfTheKindAskedFor) {
  Chooser chooser(7);
  for (int draw = 0; draw < kDraws; ++draw) {
    EXPECT_EQ(chooser.destination(kCity).german.substr(0, 5), "nach ");
    EXPECT_EQ(chooser.location(kCity).german.substr(0, 3), "in ");
    EXPECT_NE(chooser.place(kTransit).kind & kTransit, 0U);
  }
}

TEST(DemoChooser, DrinksAreMeasured) {
  Chooser chooser(8);
  std::set<std::string> said;
  for (int draw = 0; draw < kDraws; ++draw) said.insert(chooser.drink().german);
  EXPECT_EQ(said.count("eine Tasse Kaffee"), 1U);
  EXPECT_EQ(said.count("zwei Gläser Wasser"), 1U);
  EXPECT_EQ(said.count("eine Tasse Milch"), 0U);
}

TEST(DemoChooser, OwnersMostlyFitTheSubject) {
  Chooser chooser(9);
  int fitting = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    fitting += chooser.possessive(named_person("Maria")) == Determiner::kHer ? 1 : 0;
  }
  EXPECT_GT(fitting, kDraws / 2);
}

}  // namespace
}  // namespace linformer::demo
