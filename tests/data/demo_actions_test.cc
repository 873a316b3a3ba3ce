// SPDX-License-Identifier: Apache-2.0
#include "data/demo_actions.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace linformer::demo {
namespace {

constexpr int kDraws = 4000;
constexpr std::uint32_t kPeople = kPersonNoun | kRelative;

TEST(DemoActions, ObjectsSuitTheirVerbs) {
  Chooser chooser(1);
  std::set<const Verb*> used;
  for (int draw = 0; draw < kDraws; ++draw) {
    const Clause clause = action(chooser, chooser.subject(), Tense::kPresent);
    used.insert(clause.verb);
    const bool placed =
        clause.verb == &verb_named("legen") || clause.verb == &verb_named("stellen");
    const bool letter = clause.verb == &verb_named("schreiben");
    if (clause.object.noun == nullptr || placed || letter) continue;
    const bool person = (clause.object.noun->kinds & kPeople) != 0;
    EXPECT_TRUE(person || (clause.object.noun->kinds & clause.verb->objects) != 0)
        << english_statement(clause);
  }
  EXPECT_GT(used.size(), 40U);
}

TEST(DemoActions, ReceiversArePeopleAndNotTheSubject) {
  Chooser chooser(2);
  int found = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const Clause clause = action(chooser, chooser.subject(), Tense::kPast);
    if (!clause.receiver.present()) continue;
    ++found;
    EXPECT_TRUE(clause.receiver.noun == nullptr || (clause.receiver.noun->kinds & kPeople) != 0);
    EXPECT_FALSE(same_words(clause.subject, clause.receiver));
  }
  EXPECT_GT(found, kDraws / 20);
}

TEST(DemoActions, WhatLiesIsLaidAndWhatStandsIsStood) {
  Chooser chooser(3);
  for (int draw = 0; draw < kDraws; ++draw) {
    const Clause clause = action(chooser, chooser.subject(), Tense::kPresent);
    if (clause.verb == &verb_named("legen")) {
      EXPECT_EQ(clause.object.noun->posture, Posture::kLies);
    }
    if (clause.verb == &verb_named("stellen")) {
      EXPECT_EQ(clause.object.noun->posture, Posture::kStands);
    }
  }
}

TEST(DemoActions, OnePersonWearsOneThing) {
  Chooser chooser(4);
  for (int draw = 0; draw < kDraws; ++draw) {
    const Clause clause = short_action(chooser, chooser.subject(), Tense::kPresent);
    if (clause.verb != &verb_named("tragen")) continue;
    const Person person = clause.subject.person();
    EXPECT_EQ(clause.object.plural, person == Person::kWe || person == Person::kThey);
  }
}

TEST(DemoActions, ShortActionsHaveNoPlace) {
  Chooser chooser(5);
  for (int draw = 0; draw < kDraws; ++draw) {
    EXPECT_TRUE(short_action(chooser, chooser.subject(), Tense::kPresent).adjunct.empty());
  }
}

TEST(DemoActions, OneFliesToCitiesAndWalksElsewhere) {
  Chooser chooser(6);
  for (int draw = 0; draw < kDraws; ++draw) {
    const Clause clause = motion(chooser, chooser.subject(), Tense::kPresent);
    const bool city =
        clause.direction.german.starts_with("nach ") && clause.direction.german != "nach Hause";
    if (clause.verb == &verb_named("fliegen")) {
      EXPECT_TRUE(city);
    }
    if (clause.verb == &verb_named("gehen")) {
      EXPECT_FALSE(city);
    }
  }
}

}  // namespace
}  // namespace linformer::demo
