// SPDX-License-Identifier: Apache-2.0
#include "data/demo_sentences.h"

#include <array>
#include <string>

#include "data/demo_actions.h"
#include "data/demo_numbers.h"

namespace linformer::demo {
namespace {

Phrase statement(const Clause& clause, bool time_first = false) {
  return {english_statement(clause, time_first) + ".",
          german_clause(clause, time_first ? Order::kTimeFirst : Order::kSubjectFirst) + "."};
}

/// A time where the verb allows one: "she needs a coat tomorrow" is no English.
void add_time(Chooser& chooser, Clause& clause, int percent) {
  const bool plain_stative = clause.verb->stative && clause.modal == nullptr &&
                             (clause.tense == Tense::kPresent || clause.tense == Tense::kSimple);
  if (!plain_stative && chooser.chance(percent)) clause.time = chooser.time(clause.tense);
}

/// An action that has an end in time: what one does, not what one has or knows.
Clause doing(Chooser& chooser, const Nominal& subject, Tense tense) {
  while (true) {
    Clause clause = action(chooser, subject, tense);
    if (!clause.verb->stative) return clause;
  }
}

Phrase present(Chooser& chooser) {
  Clause clause = action(chooser, chooser.subject(), Tense::kPresent);
  add_time(chooser, clause, 45);
  return statement(clause);
}

Phrase past(Chooser& chooser) {
  Clause clause = doing(chooser, chooser.subject(), Tense::kPast);
  add_time(chooser, clause, 60);
  return statement(clause);
}

Phrase habit(Chooser& chooser) {
  Clause clause = doing(chooser, chooser.subject(), Tense::kSimple);
  if (chooser.chance(50)) {
    clause.adverb = chooser.frequency();
  } else {
    clause.time = chooser.time(Tense::kSimple);
  }
  return statement(clause);
}

Phrase future(Chooser& chooser) {
  Clause clause = doing(chooser, chooser.subject(), Tense::kFuture);
  add_time(chooser, clause, 50);
  return statement(clause);
}

Phrase modal(Chooser& chooser) {
  const bool in_past = chooser.chance(20);
  Clause clause = doing(chooser, chooser.subject(), in_past ? Tense::kPast : Tense::kPresent);
  clause.modal = &chooser.modal(in_past);
  clause.negated = !in_past && clause.object.definite() && clause.bare_object.empty() &&
                   !clause.modal->negated_i.empty() && chooser.chance(25);
  if (!clause.negated) add_time(chooser, clause, 45);
  return statement(clause);
}

Phrase inversion(Chooser& chooser) {
  static constexpr std::array<Tense, 3> kTenses = {Tense::kPresent, Tense::kPast, Tense::kFuture};
  Clause clause = doing(chooser, chooser.subject(), chooser.one_of(kTenses));
  if (clause.tense == Tense::kPresent && chooser.chance(40)) clause.modal = &chooser.modal();
  clause.time = chooser.time(clause.tense);
  return statement(clause, true);
}

Phrase negation(Chooser& chooser) {
  static constexpr std::array<Tense, 3> kTenses = {Tense::kPresent, Tense::kPast, Tense::kFuture};
  while (true) {
    Clause clause = short_action(chooser, chooser.subject(), chooser.one_of(kTenses));
    if (!clause.bare_object.empty() || (clause.verb->stative && clause.tense == Tense::kFuture))
      continue;
    const bool indefinite = clause.object.present() && !clause.object.definite();
    if (indefinite && clause.object.plural) continue;
    (indefinite ? clause.negated_object : clause.negated) = true;
    return statement(clause);
  }
}

Phrase has_none(Chooser& chooser) {
  static const std::array<Phrase, 2> kThings = {
      {{"no time", "keine Zeit"}, {"no money", "kein Geld"}}};
  Clause clause{.subject = chooser.subject(), .verb = &verb_named("haben")};
  if (chooser.chance(30)) clause.tense = Tense::kPast;
  if (chooser.chance(25)) {
    clause.bare_object = chooser.one_of(kThings);
    if (clause.tense == Tense::kPast) clause.time = chooser.time(Tense::kPast);
    return statement(clause);
  }
  clause.object = chooser.thing(clause.subject, clause.verb->objects);
  clause.object.determiner = Determiner::kNo;
  clause.object.number = {};
  return statement(clause);
}

Phrase question(Chooser& chooser) {
  static constexpr std::array<Tense, 3> kTenses = {Tense::kPresent, Tense::kPast, Tense::kFuture};
  Clause clause = doing(chooser, chooser.other_subject(), chooser.one_of(kTenses));
  if (clause.tense == Tense::kPresent && chooser.chance(50)) clause.modal = &chooser.modal();
  if (clause.adjunct.empty()) add_time(chooser, clause, 25);
  return {english_question(clause) + "?", german_clause(clause, Order::kVerbFirst) + "?"};
}

Phrase asked(const Clause& clause, std::string_view english, std::string_view german) {
  return {english_question(clause, english) + "?",
          join({german, german_clause(clause, Order::kVerbFirst)}) + "?"};
}

Phrase when_or_why(Chooser& chooser) {
  const bool why = chooser.chance(50);
  const Tense tense = chooser.chance(40) ? Tense::kPast : Tense::kPresent;
  Clause clause = doing(chooser, chooser.other_subject(), tense);
  clause.adjunct = {};
  return asked(clause, why ? "why" : "when", why ? "warum" : "wann");
}

Phrase where(Chooser& chooser) {
  const Nominal subject = chooser.other_subject();
  const Tense tense = chooser.chance(30) ? Tense::kPast : Tense::kPresent;
  if (chooser.chance(40)) {
    Clause clause = motion(chooser, subject, tense);
    clause.direction = {};
    const Phrase english = asked(clause, "where", "wohin");
    if (clause.verb == &verb_named("gehen")) return english;
    return {english.english.substr(0, english.english.size() - 1) + " to?", english.german};
  }
  if (chooser.chance(50)) {
    Clause clause = short_action(chooser, subject, tense);
    while (clause.verb->places == 0 || clause.verb == &verb_named("sehen")) {
      clause = short_action(chooser, subject, tense);
    }
    if (clause.object.present() && clause.direction.empty()) return asked(clause, "where", "wo");
    clause.direction = {};
    return asked(clause, "where", "wo");
  }
  Clause clause{
      .subject = chooser.thing(subject, kReading | kThing | kClothing | kAnimal | kVehicle, true),
      .verb = &verb_named("sein"),
      .tense = tense};
  return asked(clause, "where", "wo");
}

Phrase what(Chooser& chooser) {
  static constexpr std::array<std::string_view, 10> kVerbs = {
      "kaufen", "lesen",   "suchen", "essen",     "brauchen",
      "tragen", "trinken", "finden", "verkaufen", "schreiben"};
  Clause clause{.subject = chooser.other_subject(), .verb = &verb_named(chooser.one_of(kVerbs))};
  if (chooser.chance(35)) clause.tense = Tense::kPast;
  if (clause.tense == Tense::kPresent && !clause.verb->stative && chooser.chance(40))
    clause.modal = &chooser.modal();
  if (clause.verb->places != 0 && chooser.chance(50))
    clause.adjunct = chooser.location(clause.verb->places);
  add_time(chooser, clause, clause.adjunct.empty() ? 40 : 0);
  return asked(clause, "what", "was");
}

Phrase who(Chooser& chooser) {
  Clause clause =
      doing(chooser, named_person("who"), chooser.chance(50) ? Tense::kPresent : Tense::kPast);
  const std::string english = english_statement(clause);
  clause.subject = named_person("wer");
  return {english + "?", german_clause(clause, Order::kSubjectFirst) + "?"};
}

Phrase which(Chooser& chooser) {
  static constexpr std::array<std::string_view, 6> kVerbs = {"kaufen", "lesen",    "suchen",
                                                             "finden", "brauchen", "reparieren"};
  Clause clause{.subject = chooser.other_subject(), .verb = &verb_named(chooser.one_of(kVerbs))};
  Nominal asked_for = chooser.thing(clause.subject, clause.verb->objects & ~(kAnimal | kFood));
  asked_for.determiner = Determiner::kWhich;
  asked_for.number = {};
  if (chooser.chance(35)) clause.tense = Tense::kPast;
  if (clause.tense == Tense::kPresent && !clause.verb->stative && chooser.chance(40))
    clause.modal = &chooser.modal();
  return asked(clause, asked_for.english(true), asked_for.german(Case::kAccusative));
}

Phrase request(Chooser& chooser) {
  while (true) {
    Clause clause = action(chooser, pronoun(Person::kYou), Tense::kPresent);
    if (word_at(clause.verb->german, 5) == "-" || clause.verb->stative) continue;
    const bool indefinite = clause.object.present() && !clause.object.definite();
    clause.negated = !indefinite && clause.bare_object.empty() && chooser.chance(25);
    if (!clause.negated && clause.adjunct.empty()) add_time(chooser, clause, 25);
    const std::string_view mark = chooser.chance(30) ? "!" : ".";
    return {
        join({"please", clause.negated ? "do not" : "", english_infinitive(clause)}).append(mark),
        ("bitte " + german_imperative(clause)).append(mark)};
  }
}

Phrase predicate(Chooser& chooser) {
  const bool person = chooser.chance(35);
  const Nominal subject =
      person ? chooser.subject()
             : chooser.thing(
                   pronoun(Person::kI),
                   kReading | kClothing | kVehicle | kFurniture | kFood | kThing | kBuilding, true);
  Clause clause{.subject = subject, .verb = &verb_named("sein")};
  if (chooser.chance(35)) clause.tense = Tense::kPast;
  const Adjective* quality = person ? nullptr : chooser.adjective(*subject.noun);
  const Phrase word = person ? chooser.feeling()
                             : Phrase{std::string(quality->english), std::string(quality->german)};
  const bool coloured = !person && quality->english_more.empty();
  static const std::array<Phrase, 4> kDegrees = {
      {{"very ", "sehr "}, {"too ", "zu "}, {"", ""}, {"", ""}}};
  const Phrase degree = coloured ? Phrase{} : chooser.one_of(kDegrees);
  // Neither "the red coat is green" nor "the old coat is new".
  const bool fits =
      subject.adjective != nullptr && subject.adjective->english_more.empty() && !coloured;
  if (!fits) clause.subject.adjective = nullptr;
  clause.direction = {degree.english + word.english, degree.german + word.german};
  clause.negated = degree.english != "too " && chooser.chance(20);
  if (person && clause.tense == Tense::kPast) add_time(chooser, clause, 60);
  return statement(clause);
}

Nominal landmark(Chooser& chooser) {
  return noun_phrase(chooser.noun(kFurniture | kOpening), Determiner::kThe);
}

/// Where a thing is: "on the table", "behind the house".
Phrase spot(Chooser& chooser, const Noun& thing) {
  if ((thing.kinds & kFood) != 0) return {"on the table", "auf dem Tisch"};
  const bool outside = (thing.kinds & kVehicle) != 0 || thing.english == "horse";
  Nominal where =
      outside ? noun_phrase(noun_named(chooser.chance(50) ? "house" : "door"), Determiner::kThe)
              : landmark(chooser);
  while (where.noun == &thing) where = landmark(chooser);
  const bool flat =
      (where.noun->kinds & kFurniture) != 0 && (thing.kinds & kFurniture) == 0 && !outside;
  // The first two prepositions, "on" and "under", suit what is small.
  const WordPair& how =
      flat ? chooser.one_of(two_way_prepositions()) : two_way_prepositions()[2 + chooser.below(3)];
  return {join({how.english, where.english(true)}),
          german_prepositional(how.german, where, Case::kDative)};
}

std::string_view posture_verb(Posture posture, bool plural, bool in_past) {
  static constexpr std::array<std::string_view, 3> kForms = {
      "liegt liegen lag lagen", "steht stehen stand standen", "sitzt sitzen saß saßen"};
  return word_at(kForms[static_cast<std::size_t>(posture)],
                 (plural ? 1U : 0U) + (in_past ? 2U : 0U));
}

constexpr std::uint32_t kPlaceable =
    kReading | kThing | kClothing | kVehicle | kFurniture | kAnimal | kFood | kDevice;

Phrase position(Chooser& chooser) {
  const Nominal subject = chooser.thing(pronoun(Person::kI), kPlaceable, true);
  const bool in_past = chooser.chance(30);
  const Phrase where = spot(chooser, *subject.noun);
  return {
      join({subject.english(false), english_be(subject.person(), in_past), where.english}) + ".",
      join({subject.german(Case::kNominative),
            posture_verb(subject.noun->posture, subject.plural, in_past), where.german}) +
          "."};
}

Phrase there_is(Chooser& chooser) {
  Nominal subject = chooser.thing(pronoun(Person::kI), kPlaceable);
  subject.determiner = Determiner::kA;
  if (subject.plural && subject.number.empty())
    subject.number = number_word(chooser.between(2, 12));
  const bool in_past = chooser.chance(30);
  const Phrase where = spot(chooser, *subject.noun);
  return {join({"there", english_be(subject.person(), in_past), subject.english(false),
                where.english}) +
              ".",
          join({where.german, posture_verb(subject.noun->posture, subject.plural, in_past),
                subject.german(Case::kNominative)}) +
              "."};
}

constexpr std::array<Template, 18> kTemplates = {{
    {"present", 110, present},
    {"past", 110, past},
    {"habit", 50, habit},
    {"future", 40, future},
    {"modal", 80, modal},
    {"inversion", 80, inversion},
    {"negation", 40, negation},
    {"has none", 15, has_none},
    {"question", 45, question},
    {"when or why", 20, when_or_why},
    {"where", 20, where},
    {"what", 20, what},
    {"who", 10, who},
    {"which", 15, which},
    {"request", 35, request},
    {"predicate", 30, predicate},
    {"position", 30, position},
    {"there is", 25, there_is},
}};

}  // namespace

std::span<const Template> clause_templates() { return kTemplates; }

}  // namespace linformer::demo
