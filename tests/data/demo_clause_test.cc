// SPDX-License-Identifier: Apache-2.0
#include "data/demo_clause.h"

#include <gtest/gtest.h>

#include "linformer/error.h"

namespace linformer::demo {
namespace {

const Nominal kShe = pronoun(Person::kHe, Gender::kFeminine);

Nominal the(std::string_view noun) { return noun_phrase(noun_named(noun), Determiner::kThe); }
Nominal a(std::string_view noun) { return noun_phrase(noun_named(noun), Determiner::kA); }

Clause opens_window(Tense tense = Tense::kPresent) {
  return {.subject = kShe,
          .verb = &verb_named("aufmachen"),
          .tense = tense,
          .object = the("window"),
          .time = {"today", "heute"}};
}

const Modal& want_to() { return modals()[2]; }

TEST(DemoClause, SeparablePrefixesStandAtTheEnd) {
  EXPECT_EQ(german_clause(opens_window(), Order::kSubjectFirst), "sie macht heute das Fenster auf");
  EXPECT_EQ(english_statement(opens_window()), "she is opening the window today");
}

TEST(DemoClause, TheVerbStaysSecondAfterATime) {
  EXPECT_EQ(german_clause(opens_window(), Order::kTimeFirst), "heute macht sie das Fenster auf");
  EXPECT_EQ(english_statement(opens_window(), true), "today she is opening the window");
}

TEST(DemoClause, QuestionsBeginWithTheVerb) {
  EXPECT_EQ(german_clause(opens_window(), Order::kVerbFirst), "macht sie heute das Fenster auf");
  EXPECT_EQ(english_question(opens_window()), "is she opening the window today");
  EXPECT_EQ(english_question(opens_window(Tense::kPast), "why"),
            "why did she open the window today");
}

TEST(DemoClause, SubordinateClausesEndWithTheVerb) {
  EXPECT_EQ(german_clause(opens_window(), Order::kVerbLast), "sie heute das Fenster aufmacht");
  EXPECT_EQ(german_clause(opens_window(Tense::kPast), Order::kVerbLast),
            "sie heute das Fenster aufgemacht hat");
  EXPECT_EQ(german_clause(opens_window(), Order::kSubjectDropped), "heute das Fenster aufmacht");
}

TEST(DemoClause, InfinitivesPutZuInside) {
  Clause clause = opens_window();
  clause.time = {};
  EXPECT_EQ(german_clause(clause, Order::kInfinitive), "das Fenster aufzumachen");
  clause.verb = &verb_named("lesen");
  clause.object = the("letter");
  EXPECT_EQ(german_clause(clause, Order::kInfinitive), "den Brief zu lesen");
  EXPECT_EQ(english_infinitive(clause), "read the letter");
}

TEST(DemoClause, ThePerfectTakesHabenOrSein) {
  EXPECT_EQ(german_clause(opens_window(Tense::kPast), Order::kSubjectFirst),
            "sie hat heute das Fenster aufgemacht");
  const Clause clause{.subject = pronoun(Person::kWe),
                      .verb = &verb_named("gehen"),
                      .tense = Tense::kPast,
                      .direction = {"to the park", "in den Park"},
                      .time = {"yesterday", "gestern"}};
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "wir sind gestern in den Park gegangen");
  EXPECT_EQ(english_statement(clause), "we went to the park yesterday");
}

TEST(DemoClause, ModalsAndTheFuturePutTheInfinitiveLast) {
  Clause clause = opens_window();
  clause.modal = &want_to();
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "sie will heute das Fenster aufmachen");
  EXPECT_EQ(german_clause(clause, Order::kVerbLast), "sie heute das Fenster aufmachen will");
  EXPECT_EQ(english_statement(clause), "she wants to open the window today");
  EXPECT_EQ(english_question(clause), "does she want to open the window today");
  EXPECT_EQ(german_clause(opens_window(Tense::kFuture), Order::kSubjectFirst),
            "sie wird heute das Fenster aufmachen");
  clause.tense = Tense::kPast;
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "sie wollte heute das Fenster aufmachen");
  EXPECT_EQ(english_statement(clause), "she wanted to open the window today");
}

TEST(DemoClause, DativesComeBeforeTimesAndIndefiniteObjectsAfterPlaces) {
  Clause clause{.subject = kShe,
                .verb = &verb_named("geben"),
                .receiver = the("child"),
                .object = the("apple"),
                .time = {"tomorrow", "morgen"}};
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "sie gibt dem Kind morgen den Apfel");
  EXPECT_EQ(english_statement(clause), "she is giving the child the apple tomorrow");
  clause = {.subject = kShe,
            .verb = &verb_named("kaufen"),
            .object = a("apple"),
            .adjunct = {"at the market", "auf dem Markt"},
            .time = {"tomorrow", "morgen"}};
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst),
            "sie kauft morgen auf dem Markt einen Apfel");
  clause.object = the("apple");
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst),
            "sie kauft morgen den Apfel auf dem Markt");
  EXPECT_EQ(english_statement(clause), "she is buying the apple at the market tomorrow");
}

TEST(DemoClause, PronounsComeFirstAndSplitEnglishParticles) {
  const Clause clause{.subject = kShe,
                      .verb = &verb_named("abholen"),
                      .object = pronoun(Person::kHe),
                      .time = {"today", "heute"}};
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "sie holt ihn heute ab");
  EXPECT_EQ(english_statement(clause), "she is picking him up today");
}

TEST(DemoClause, VerbsChooseCaseAndPreposition) {
  Clause clause{
      .subject = pronoun(Person::kYou), .verb = &verb_named("helfen"), .object = the("boy")};
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "du hilfst dem Jungen");
  clause.verb = &verb_named("warten");
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "du wartest auf den Jungen");
  EXPECT_EQ(english_statement(clause), "you are waiting for the boy");
}

TEST(DemoClause, NegationIsNichtOrKein) {
  Clause clause = opens_window();
  clause.time = {};
  clause.negated = true;
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "sie macht das Fenster nicht auf");
  EXPECT_EQ(english_statement(clause), "she is not opening the window");
  clause = {
      .subject = kShe, .verb = &verb_named("haben"), .negated_object = true, .object = a("car")};
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "sie hat kein Auto");
  EXPECT_EQ(english_statement(clause), "she does not have a car");
}

TEST(DemoClause, HabitsHaveTheSimplePresent) {
  const Clause clause{.subject = kShe,
                      .verb = &verb_named("gehen"),
                      .tense = Tense::kSimple,
                      .direction = {"to school", "zur Schule"},
                      .adverb = {"often", "oft"}};
  EXPECT_EQ(english_statement(clause), "she often goes to school");
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "sie geht oft zur Schule");
}

TEST(DemoClause, BeingHasItsOwnForms) {
  Clause clause{.subject = pronoun(Person::kI),
                .verb = &verb_named("sein"),
                .negated = true,
                .direction = {"tired", "müde"}};
  EXPECT_EQ(english_statement(clause), "I am not tired");
  EXPECT_EQ(german_clause(clause, Order::kSubjectFirst), "ich bin nicht müde");
  clause.tense = Tense::kPast;
  clause.subject = pronoun(Person::kThey);
  EXPECT_EQ(english_question(clause), "were they tired");
  EXPECT_EQ(german_clause(clause, Order::kVerbLast), "sie nicht müde waren");
  EXPECT_EQ(english_be(Person::kHe), "is");
  EXPECT_EQ(english_be(Person::kYou, true), "were");
}

TEST(DemoClause, ImperativesAreFamiliar) {
  EXPECT_EQ(german_imperative({.verb = &verb_named("lesen"), .object = the("letter")}),
            "lies den Brief");
  EXPECT_EQ(
      german_imperative({.verb = &verb_named("zumachen"), .negated = true, .object = the("door")}),
      "mach die Tür nicht zu");
  EXPECT_THROW(german_imperative({.verb = &verb_named("kennen")}), InternalError);
}

}  // namespace
}  // namespace linformer::demo
