// SPDX-License-Identifier: Apache-2.0
#include "data/demo_chooser.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/check.h"
#include "data/demo_numbers.h"

namespace linformer::demo {

std::size_t Chooser::below(std::size_t count) {
  LF_CHECK(count > 0 && count < (std::size_t{1} << 32), std::to_string(count));
  return static_cast<std::size_t>(((random_.next() >> 32) * count) >> 32);
}

std::int64_t Chooser::between(std::int64_t first, std::int64_t last) {
  return first + static_cast<std::int64_t>(below(static_cast<std::size_t>(last - first + 1)));
}

const Noun& Chooser::noun(std::uint32_t kinds) {
  while (true) {
    const Noun& candidate = one_of(nouns());
    if ((candidate.kinds & kinds) != 0) return candidate;
  }
}

const Adjective* Chooser::adjective(const Noun& noun) {
  // Relatives are not described: "my old brother" says something else in German.
  if ((noun.kinds & kRelative) != 0 && (noun.kinds & kPersonNoun) == 0) return nullptr;
  for (int attempt = 0; attempt < 60; ++attempt) {
    const Adjective& candidate = one_of(adjectives());
    if ((candidate.kinds & noun.kinds) != 0) return &candidate;
  }
  return nullptr;
}

Nominal Chooser::relative_or_person() {
  if (chance(45)) {
    const Noun& relative = noun(kRelative);
    const bool plural = !relative.english_plural.empty() && chance(20);
    return noun_phrase(relative, possessive(pronoun(Person::kI)), plural);
  }
  const Noun& person = noun(kPersonNoun);
  const bool related = (person.kinds & kRelative) != 0;
  const Determiner determiner = related ? possessive(pronoun(Person::kI)) : Determiner::kThe;
  const Adjective* description = chance(25) ? adjective(person) : nullptr;
  return noun_phrase(person, determiner, chance(25), description);
}

Nominal Chooser::subject() {
  if (chance(50)) {
    const std::size_t which = below(7);
    if (which == 6) return pronoun(Person::kHe, Gender::kFeminine);
    if (which == 5) return pronoun(Person::kHe, Gender::kFeminine);
    return pronoun(static_cast<Person>(which));
  }
  return chance(30) ? named_person(one_of(first_names())) : relative_or_person();
}

Nominal Chooser::other_subject() {
  if (chance(25)) return pronoun(Person::kYou);
  while (true) {
    const Nominal candidate = subject();
    if (candidate.person() != Person::kI) return candidate;
  }
}

Nominal Chooser::human_subject() {
  while (true) {
    const Nominal candidate = subject();
    const bool neuter = candidate.noun != nullptr && candidate.noun->gender == Gender::kNeuter;
    if (!neuter || candidate.plural) return candidate;
  }
}

bool same_words(const Nominal& a, const Nominal& b) {
  const bool one_of_us = (a.is_pronoun() && b.is_pronoun()) &&
                         ((a.pronoun == Person::kI && b.pronoun == Person::kWe) ||
                          (a.pronoun == Person::kWe && b.pronoun == Person::kI));
  const bool same_person = a.is_pronoun() && b.is_pronoun() && a.pronoun == b.pronoun &&
                           a.pronoun != Person::kHe && a.pronoun != Person::kThey;
  const bool same_noun = a.noun != nullptr && a.noun == b.noun;
  return one_of_us || same_person || same_noun || (!a.name.empty() && a.name == b.name);
}

Nominal pronoun_for(const Nominal& subject) {
  if (subject.is_pronoun()) return subject;
  if (subject.plural) return pronoun(Person::kThey);
  const bool female = subject.kind == Nominal::Kind::kName
                          ? subject.name.ends_with('a')
                          : subject.noun->gender == Gender::kFeminine;
  return pronoun(Person::kHe, female ? Gender::kFeminine : Gender::kMasculine);
}

Determiner Chooser::possessive(const Nominal& subject) {
  static constexpr std::array<Determiner, 6> kAll = {Determiner::kMy,  Determiner::kYour,
                                                     Determiner::kHis, Determiner::kHer,
                                                     Determiner::kOur, Determiner::kTheir};
  if (chance(35)) return one_of(kAll);
  const Nominal owner = subject.kind == Nominal::Kind::kNothing ? subject : pronoun_for(subject);
  switch (owner.person()) {
    case Person::kI:
      return Determiner::kMy;
    case Person::kYou:
      return Determiner::kYour;
    case Person::kWe:
      return Determiner::kOur;
    case Person::kThey:
      return Determiner::kTheir;
    case Person::kHe:
      break;
  }
  return owner.pronoun_gender == Gender::kFeminine ? Determiner::kHer : Determiner::kHis;
}

Nominal Chooser::person(const Nominal& subject) {
  while (true) {
    Nominal candidate = chance(35)   ? pronoun(static_cast<Person>(below(5)),
                                             chance(50) ? Gender::kMasculine : Gender::kFeminine)
                        : chance(20) ? named_person(one_of(first_names()))
                                     : relative_or_person();
    const bool owned = candidate.noun != nullptr && (candidate.noun->kinds & kRelative) != 0;
    if (owned) candidate.determiner = possessive(subject);
    // Pronouns move before a noun that is the subject in some orders: pronouns meet pronouns only.
    const bool clash = candidate.is_pronoun() && !subject.is_pronoun();
    if (!clash && !same_words(candidate, subject)) return candidate;
  }
}

Determiner Chooser::determiner_for(const Noun& noun, const Nominal& subject, bool definite) {
  if ((noun.kinds & (kOpening | kBuilding)) != 0)
    return chance(85) ? Determiner::kThe : Determiner::kThis;
  if ((noun.kinds & kFood) != 0)
    return chance(definite ? 100 : 30) ? Determiner::kThe : Determiner::kA;
  const std::size_t draw = below(definite ? 70 : 100);
  if (draw < 35) return Determiner::kThe;
  if (draw < 45) return Determiner::kThis;
  return draw < 70 ? possessive(subject) : Determiner::kA;
}

Nominal Chooser::thing(const Nominal& subject, std::uint32_t kinds, bool definite) {
  const Noun& what = noun(kinds);
  const bool plural = !what.english_plural.empty() && chance(25);
  Nominal result = noun_phrase(what, determiner_for(what, subject, definite), plural);
  if (chance(40)) result.adjective = adjective(what);
  if (plural && result.determiner == Determiner::kA && chance(50))
    result.number = number_word(between(2, 12));
  return result;
}

Phrase Chooser::drink() {
  const Noun& what = noun(kMass);
  const std::string tail = " of " + std::string(what.english);
  const std::string german = " " + std::string(what.german);
  if (chance(50)) return {std::string(what.english), std::string(what.german)};
  const bool hot = what.german == "Kaffee" || what.german == "Tee";
  if (chance(60)) {
    return hot ? Phrase{"a cup" + tail, "eine Tasse" + german}
               : Phrase{"a glass" + tail, "ein Glas" + german};
  }
  const Phrase number = number_word(between(2, 5));
  return {number.english + (hot ? " cups" : " glasses") + tail,
          number.german + (hot ? " Tassen" : " Gläser") + german};
}

const Place& Chooser::place(std::uint32_t kinds) {
  while (true) {
    const Place& candidate = one_of(places());
    if ((candidate.kind & kinds) != 0) return candidate;
  }
}

Phrase Chooser::location(std::uint32_t kinds) {
  const Place& where = place(kinds);
  return {std::string(where.english_at), std::string(where.german_at)};
}

Phrase Chooser::destination(std::uint32_t kinds) {
  const Place& where = place(kinds);
  return {std::string(where.english_to), std::string(where.german_to)};
}

Phrase Chooser::with_somebody(const Nominal& subject) {
  const Nominal who = person(subject);
  return {"with " + who.english(true), german_prepositional("mit", who, Case::kDative)};
}

Phrase Chooser::for_somebody(const Nominal& subject) {
  const Nominal who = person(subject);
  return {"for " + who.english(true), german_prepositional("für", who, Case::kAccusative)};
}

Phrase Chooser::clock() {
  const Phrase time = clock_time(between(1, 12), 15 * between(0, 3));
  return {"at " + time.english, "um " + time.german};
}

Phrase Chooser::weekday() {
  const WordPair& day = one_of(weekdays());
  return {std::string("on ").append(day.english), std::string("am ").append(day.german)};
}

Phrase Chooser::time(Tense tense) {
  static const std::array<Phrase, 6> kComing = {{{"today", "heute"},
                                                 {"tomorrow", "morgen"},
                                                 {"this evening", "heute Abend"},
                                                 {"tomorrow morning", "morgen früh"},
                                                 {"next week", "nächste Woche"},
                                                 {"tomorrow evening", "morgen Abend"}}};
  static const std::array<Phrase, 4> kGone = {{{"yesterday", "gestern"},
                                               {"yesterday", "gestern"},
                                               {"yesterday evening", "gestern Abend"},
                                               {"last week", "letzte Woche"}}};
  static const std::array<Phrase, 3> kUnits = {
      {{"days", "Tagen"}, {"weeks", "Wochen"}, {"months", "Monaten"}}};
  if (tense == Tense::kSimple) {
    if (chance(60)) return {"every day", "jeden Tag"};
    const WordPair& day = one_of(weekdays());
    return {std::string("every ").append(day.english), std::string("jeden ").append(day.german)};
  }
  const bool past = tense == Tense::kPast;
  if (chance(25)) {
    const Phrase day = chance(50) ? weekday() : past ? kGone[0] : kComing[below(2)];
    const Phrase hour = clock();
    return {day.english + " " + hour.english, day.german + " " + hour.german};
  }
  if (chance(20)) return weekday();
  if (chance(15)) return clock();
  if (chance(15)) {
    const Phrase& unit = one_of(kUnits);
    const Phrase number = number_word(between(2, 12));
    const std::string german = " " + number.german + " " + unit.german;
    return past ? Phrase{number.english + " " + unit.english + " ago", "vor" + german}
                : Phrase{"in " + number.english + " " + unit.english, "in" + german};
  }
  return past ? one_of(kGone) : one_of(kComing);
}

Phrase Chooser::frequency() {
  static const std::array<Phrase, 3> kAll = {
      {{"often", "oft"}, {"always", "immer"}, {"sometimes", "manchmal"}}};
  return one_of(kAll);
}

const Modal& Chooser::modal(bool allow_past) {
  while (true) {
    const Modal& candidate = one_of(modals());
    if (!allow_past || !candidate.english_past.empty()) return candidate;
  }
}

Phrase Chooser::feeling() { return chance(25) ? Phrase{"happy", "glücklich"} : discomfort(); }

Phrase Chooser::discomfort() {
  static const std::array<Phrase, 4> kAll = {
      {{"tired", "müde"}, {"ill", "krank"}, {"hungry", "hungrig"}, {"sad", "traurig"}}};
  return one_of(kAll);
}

}  // namespace linformer::demo
