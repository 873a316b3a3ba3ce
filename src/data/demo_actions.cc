// SPDX-License-Identifier: Apache-2.0
#include "data/demo_actions.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace linformer::demo {
namespace {

constexpr std::array<std::string_view, 19> kObjectVerbs = {
    "essen",    "kaufen",      "kaufen",      "verkaufen", "lesen",   "finden",     "suchen",
    "brauchen", "haben",       "tragen",      "anziehen",  "waschen", "reparieren", "aufmachen",
    "zumachen", "einschalten", "ausschalten", "lesen",     "sehen"};
constexpr std::array<std::string_view, 11> kPersonVerbs = {
    "besuchen", "anrufen", "einladen", "treffen", "abholen", "helfen",
    "danken",   "warten",  "kennen",   "sehen",   "suchen"};
constexpr std::array<std::string_view, 5> kGivingVerbs = {"geben", "zeigen", "schicken", "bringen",
                                                          "schreiben"};
constexpr std::array<std::string_view, 8> kPlainVerbs = {
    "schlafen", "arbeiten", "spielen", "tanzen", "aufstehen", "zurückkommen", "bleiben", "wohnen"};
/// Things that one takes as they are: "the door", seldom "a door".
constexpr std::array<std::string_view, 8> kDefiniteVerbs = {
    "anziehen", "waschen",     "reparieren",  "aufmachen",
    "zumachen", "einschalten", "ausschalten", "suchen"};

/// One coat at a time (and several for several people), one lamp.
constexpr std::array<std::string_view, 4> kSingularVerbs = {"tragen", "anziehen", "einschalten",
                                                            "ausschalten"};
constexpr std::array<std::string_view, 3> kSociableVerbs = {"arbeiten", "spielen", "tanzen"};

bool is_possessive(Determiner determiner) { return determiner >= Determiner::kMy; }

bool is_one_of(const Verb& verb, std::span<const std::string_view> infinitives) {
  return std::any_of(infinitives.begin(), infinitives.end(),
                     [&](std::string_view infinitive) { return &verb == &verb_named(infinitive); });
}

Clause with_object(Chooser& chooser, const Nominal& subject, Tense tense, bool brief) {
  Clause clause{.subject = subject, .tense = tense};
  if (chooser.chance(8)) {
    clause.verb = &verb_named("trinken");
    clause.bare_object = chooser.drink();
  } else {
    clause.verb = &verb_named(chooser.one_of(kObjectVerbs));
    const std::uint32_t kinds = clause.verb->objects & ~(kPersonNoun | kRelative);
    clause.object = chooser.thing(subject, kinds, is_one_of(*clause.verb, kDefiniteVerbs));
    if (is_one_of(*clause.verb, kSingularVerbs)) {
      const bool dressed = (kinds & kClothing) != 0;
      clause.object.plural =
          dressed && (subject.person() == Person::kWe || subject.person() == Person::kThey);
      clause.object.number = {};
    }
    if (clause.verb == &verb_named("kaufen") && is_possessive(clause.object.determiner)) {
      clause.object.determiner = Determiner::kThe;
    }
  }
  if (brief) return clause;
  if (clause.verb == &verb_named("kaufen") && chooser.chance(25)) {
    clause.direction = chooser.for_somebody(subject);
  } else if (clause.verb->places != 0 && chooser.chance(30)) {
    clause.adjunct = chooser.location(clause.verb->places);
  }
  return clause;
}

Clause with_receiver(Chooser& chooser, const Nominal& subject, Tense tense) {
  Clause clause{
      .subject = subject, .verb = &verb_named(chooser.one_of(kGivingVerbs)), .tense = tense};
  clause.receiver = chooser.person(subject);
  if (clause.verb == &verb_named("schreiben")) {
    clause.object = noun_phrase(noun_named("letter"), Determiner::kA);
    if (chooser.chance(40)) clause.object.adjective = chooser.adjective(*clause.object.noun);
    return clause;
  }
  clause.object = chooser.thing(subject, clause.verb->objects);
  // "shows her books" would be about her books.
  if (clause.receiver.is_pronoun() && !clause.object.definite()) {
    clause.object.plural = false;
    clause.object.number = {};
  }
  return clause;
}

Clause to_person(Chooser& chooser, const Nominal& subject, Tense tense, bool brief) {
  Clause clause{
      .subject = subject, .verb = &verb_named(chooser.one_of(kPersonVerbs)), .tense = tense};
  clause.object = chooser.person(subject);
  if (!brief && clause.verb->places != 0 && chooser.chance(30))
    clause.adjunct = chooser.location(clause.verb->places);
  return clause;
}

Clause without_object(Chooser& chooser, const Nominal& subject, Tense tense, bool brief) {
  Clause clause{
      .subject = subject, .verb = &verb_named(chooser.one_of(kPlainVerbs)), .tense = tense};
  const bool place_needed =
      clause.verb == &verb_named("bleiben") || clause.verb == &verb_named("wohnen");
  if (place_needed) {
    clause.direction = chooser.location(clause.verb->places);
  } else if (!brief && clause.verb->places != 0 && chooser.chance(55)) {
    const bool together = is_one_of(*clause.verb, kSociableVerbs) && chooser.chance(40);
    clause.adjunct =
        together ? chooser.with_somebody(subject) : chooser.location(clause.verb->places);
  }
  return clause;
}

Clause placing(Chooser& chooser, const Nominal& subject, Tense tense) {
  const Nominal what = chooser.thing(subject, kReading | kThing | kClothing | kFood, true);
  const std::string_view verb = what.noun->posture == Posture::kLies ? "legen" : "stellen";
  const bool food = (what.noun->kinds & kFood) != 0;
  const Nominal where =
      noun_phrase(food ? noun_named("table") : chooser.noun(kFurniture), Determiner::kThe);
  const WordPair& how =
      food ? two_way_prepositions().front() : chooser.one_of(two_way_prepositions());
  return {.subject = subject,
          .verb = &verb_named(verb),
          .tense = tense,
          .object = what,
          .direction = {join({how.english, where.english(true)}),
                        german_prepositional(how.german, where, Case::kAccusative)}};
}

}  // namespace

Clause motion(Chooser& chooser, const Nominal& subject, Tense tense, std::uint32_t kinds) {
  static constexpr std::array<std::string_view, 4> kVerbsOfMotion = {"gehen", "gehen", "fahren",
                                                                     "fliegen"};
  const std::string_view infinitive = chooser.one_of(kVerbsOfMotion);
  const std::uint32_t suited = infinitive == "gehen"    ? kAnyPlace & ~kCity
                               : infinitive == "fahren" ? kTransit | kShopPlace | kCity
                                                        : static_cast<std::uint32_t>(kCity);
  return {.subject = subject,
          .verb = &verb_named(infinitive),
          .tense = tense,
          .direction = chooser.destination(suited & kinds)};
}

Clause action(Chooser& chooser, const Nominal& subject, Tense tense) {
  const std::size_t draw = chooser.below(100);
  if (draw < 45) return with_object(chooser, subject, tense, false);
  if (draw < 62) return to_person(chooser, subject, tense, false);
  if (draw < 74) return with_receiver(chooser, subject, tense);
  if (draw < 82) return placing(chooser, subject, tense);
  if (draw < 92) {
    Clause clause = motion(chooser, subject, tense);
    if (chooser.chance(25)) clause.adjunct = chooser.with_somebody(subject);
    return clause;
  }
  return without_object(chooser, subject, tense, false);
}

Clause short_action(Chooser& chooser, const Nominal& subject, Tense tense) {
  const std::size_t draw = chooser.below(100);
  if (draw < 45) return with_object(chooser, subject, tense, true);
  if (draw < 70) return to_person(chooser, subject, tense, true);
  return draw < 85 ? without_object(chooser, subject, tense, true)
                   : motion(chooser, subject, tense);
}

}  // namespace linformer::demo
