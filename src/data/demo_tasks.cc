// SPDX-License-Identifier: Apache-2.0
#include "data/demo_tasks.h"

#include <array>

#include "base/check.h"
#include "data/demo_actions.h"

namespace linformer::demo {

const Modal& modal_named(std::string_view english) {
  for (const Modal& candidate : modals()) {
    if (candidate.english_i == english) return candidate;
  }
  check_failed("modal is in the dictionary", __FILE__, __LINE__, std::string(english));
}

Phrase main_clause(const Clause& clause) {
  return {english_statement(clause), german_clause(clause, Order::kSubjectFirst)};
}

Phrase subordinate(std::string_view english, std::string_view german, const Clause& clause) {
  return {join({english, english_statement(clause)}),
          join({german, german_clause(clause, Order::kVerbLast)})};
}

Phrase main_then(const Phrase& main, const Phrase& other) {
  return {main.english + " " + other.english + ".", main.german + ", " + other.german + "."};
}

Clause being(const Nominal& subject, const Phrase& predicate, Tense tense) {
  return {.subject = subject, .verb = &verb_named("sein"), .tense = tense, .direction = predicate};
}

Clause having(const Nominal& subject, const Phrase& what, Tense tense) {
  return {.subject = subject, .verb = &verb_named("haben"), .tense = tense, .bare_object = what};
}

Clause staying_home(const Nominal& subject, Tense tense) {
  return {.subject = subject,
          .verb = &verb_named("bleiben"),
          .tense = tense,
          .direction = {"at home", "zu Hause"}};
}

Clause task(Chooser& chooser, const Nominal& subject) {
  while (true) {
    Clause clause = short_action(chooser, subject, Tense::kPresent);
    const bool idle = clause.verb == &verb_named("bleiben") || clause.verb == &verb_named("tragen");
    if (!clause.verb->stative && !idle) return clause;
  }
}

Clause lack(Chooser& chooser, const Nominal& subject, Tense tense) {
  static const std::array<Phrase, 2> kLacks = {
      {{"no time", "keine Zeit"}, {"no money", "kein Geld"}}};
  return having(subject, chooser.one_of(kLacks), tense);
}

Clause chore(Chooser& chooser, const Nominal& subject) {
  while (true) {
    Clause clause = task(chooser, subject);
    const bool welcome = clause.verb == &verb_named("essen") ||
                         clause.verb == &verb_named("trinken") ||
                         clause.verb == &verb_named("schlafen");
    if (!welcome) return clause;
  }
}

Clause errand(Chooser& chooser, const Nominal& subject, std::uint32_t kind) {
  Clause clause{.subject = subject};
  if (kind == kShopPlace) {
    clause.verb = &verb_named("kaufen");
    clause.object = chooser.thing(subject, kFood | kClothing | kReading | kThing | kVehicle);
    if (clause.object.determiner != Determiner::kThe) clause.object.determiner = Determiner::kA;
    return clause;
  }
  const std::string_view verb = kind == kTransit     ? "abholen"
                                : chooser.chance(50) ? "treffen"
                                                     : "besuchen";
  clause.verb = &verb_named(verb);
  clause.object = chooser.person(subject);
  return clause;
}

Clause trip(Chooser& chooser, const Nominal& subject, Tense tense, std::uint32_t kind) {
  static constexpr std::array<std::string_view, 2> kFar = {"fahren", "fliegen"};
  static constexpr std::array<std::string_view, 2> kNear = {"gehen", "fahren"};
  return {.subject = subject,
          .verb = &verb_named(chooser.one_of(kind == kCity ? kFar : kNear)),
          .tense = tense,
          .direction = chooser.destination(kind)};
}

std::uint32_t errand_place(Chooser& chooser) {
  static constexpr std::array<std::uint32_t, 3> kKinds = {kShopPlace, kTransit, kCity};
  return chooser.one_of(kKinds);
}

}  // namespace linformer::demo
