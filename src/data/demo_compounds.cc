// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include "data/demo_actions.h"
#include "data/demo_sentences.h"
#include "data/demo_tasks.h"

namespace linformer::demo {
namespace {

Phrase in_order_to(Chooser& chooser) {
  const Nominal subject = chooser.subject();
  const Tense tense = chooser.chance(35) ? Tense::kPast : Tense::kPresent;
  const std::uint32_t kind = errand_place(chooser);
  const Clause main = trip(chooser, subject, tense, kind);
  const Clause purpose = errand(chooser, subject, kind);
  return main_then(main_clause(main), {"to " + english_infinitive(purpose),
                                       "um " + german_clause(purpose, Order::kInfinitive)});
}

Phrase try_to(Chooser& chooser) {
  const Nominal subject = chooser.subject();
  Clause clause = task(chooser, subject);
  // A bare infinitive takes no comma; longer ones do.
  while (!clause.object.present() && clause.direction.empty()) clause = task(chooser, subject);
  const std::string english = "to " + english_infinitive(clause);
  const std::string german = german_clause(clause, Order::kInfinitive);
  const Person person = subject.person();
  const std::size_t draw = chooser.below(4);
  if (draw == 0) return {"it is not easy " + english + ".", "es ist nicht leicht, " + german + "."};
  if (draw == 1) {
    return main_then(main_clause(having(subject, {"no time", "keine Zeit"})), {english, german});
  }
  const bool forgot = draw == 2;
  static constexpr std::array<std::string_view, 2> kTries = {
      "versuche versuchst versucht versuchen", "habe hast hat haben"};
  const std::size_t form = person == Person::kThey ? 3 : static_cast<std::size_t>(person);
  return main_then(
      {join({subject.english(false), forgot ? "forgot" : join({english_be(person), "trying"})}),
       join({subject.german(Case::kNominative), word_at(kTries[forgot ? 1 : 0], form),
             forgot ? "vergessen" : ""})},
      {english, german});
}

/// Who somebody turns out to be; of the gender of `person`.
Nominal identity(Chooser& chooser, const Nominal& person) {
  const bool woman = person.noun->gender != Gender::kMasculine;
  while (true) {
    const Noun& noun = chooser.noun(kRelative);
    if (noun.english_plural.empty() || (noun.gender == Gender::kFeminine) != woman) continue;
    return noun_phrase(noun, chooser.possessive(pronoun(Person::kI)), person.plural);
  }
}

Phrase relative_subject(Chooser& chooser) {
  static constexpr std::array<std::string_view, 6> kPeople = {"man",  "woman",   "boy",
                                                              "girl", "teacher", "student"};
  Nominal person =
      noun_phrase(noun_named(chooser.one_of(kPeople)), Determiner::kThe, chooser.chance(25));
  Clause inner = action(chooser, person, chooser.chance(30) ? Tense::kPast : Tense::kPresent);
  inner.adjunct = inner.object.present() ? Phrase{} : inner.adjunct;
  const std::string subject = person.english(false);
  const std::string english = "who" + english_statement(inner).substr(subject.size());
  const auto german = [&](Case grammatical_case) {
    return join({person.german(grammatical_case)}) + ", " +
           join({relative_pronoun(person, Case::kNominative),
                 german_clause(inner, Order::kSubjectDropped)});
  };
  if (chooser.chance(40)) {
    Clause main{.subject = chooser.subject(), .verb = &verb_named("kennen")};
    while (main.subject.noun == person.noun) main.subject = chooser.subject();
    return {join({main.subject.english(false),
                  main.subject.person() == Person::kHe ? "knows" : "know", subject, english}) +
                ".",
            join({main.subject.german(Case::kNominative),
                  german_clause(main, Order::kSubjectDropped), german(Case::kAccusative)}) +
                "."};
  }
  const Nominal who = identity(chooser, person);
  const bool feels = chooser.chance(40);
  const Phrase tail =
      feels ? chooser.feeling() : Phrase{who.english(false), who.german(Case::kNominative)};
  return {
      join({subject, english, english_be(person.person()), tail.english}) + ".",
      join({german(Case::kNominative) + ",", person.plural ? "sind" : "ist", tail.german}) + "."};
}

Phrase relative_object(Chooser& chooser) {
  static constexpr std::array<std::string_view, 6> kVerbs = {"kaufen",   "lesen",  "suchen",
                                                             "brauchen", "tragen", "verkaufen"};
  const Nominal subject = chooser.subject();
  Clause inner{.subject = subject, .verb = &verb_named(chooser.one_of(kVerbs))};
  if (chooser.chance(45)) inner.tense = Tense::kPast;
  Nominal thing =
      chooser.thing(subject, inner.verb->objects & ~static_cast<std::uint32_t>(kAnimal), true);
  thing.determiner = Determiner::kThe;
  thing.number = {};
  const Adjective* quality = chooser.adjective(*thing.noun);
  if (thing.adjective == quality || quality->english_more.empty()) thing.adjective = nullptr;
  if (thing.adjective != nullptr && !thing.adjective->english_more.empty())
    thing.adjective = nullptr;
  static const std::array<Phrase, 3> kDegrees = {{{"very ", "sehr "}, {"too ", "zu "}, {"", ""}}};
  const Phrase degree = quality->english_more.empty() ? Phrase{} : chooser.one_of(kDegrees);
  return {join({thing.english(false), "that", english_statement(inner), english_be(thing.person()),
                degree.english + std::string(quality->english)}) +
              ".",
          thing.german(Case::kNominative) + ", " +
              join({relative_pronoun(thing, Case::kAccusative),
                    german_clause(inner, Order::kVerbLast)}) +
              ", " +
              join({thing.plural ? "sind" : "ist", degree.german + std::string(quality->german)}) +
              "."};
}

constexpr std::uint32_t kPeople = kPersonNoun | kAdult | kRelative;

Phrase comparison(Chooser& chooser) {
  const bool people = chooser.chance(35);
  const Adjective& quality = [&]() -> const Adjective& {
    while (true) {
      const Adjective& candidate =
          people ? adjective_named(chooser.one_of({"old", "young"})) : chooser.one_of(adjectives());
      if (!candidate.english_more.empty()) return candidate;
    }
  }();
  const auto draw = [&](std::uint32_t kinds) {
    while (true) {
      Nominal result = people ? chooser.person(pronoun(Person::kI))
                              : chooser.thing(pronoun(Person::kI), kinds & ~kPeople, true);
      if (result.is_pronoun()) continue;
      if (people) result.adjective = nullptr;
      if (!people && result.adjective != nullptr && !result.adjective->english_more.empty())
        result.adjective = nullptr;
      return result;
    }
  };
  const Nominal left = draw(quality.kinds);
  // Cakes and books are good in different ways.
  const std::uint32_t alike = quality.english == "good" ? left.noun->kinds : quality.kinds;
  Nominal right = draw(alike);
  // "My car is bigger than your car", but neither "the car ... this car" nor "my car ... my car".
  const auto clash = [&] {
    if (!same_words(left, right)) return false;
    return people || left.determiner == right.determiner || left.determiner < Determiner::kMy ||
           right.determiner < Determiner::kMy;
  };
  while (clash()) right = draw(alike);
  const std::size_t kind = chooser.below(3);
  const Phrase link = kind == 0   ? Phrase{"as " + std::string(quality.english) + " as",
                                         "so " + std::string(quality.german) + " wie"}
                      : kind == 1 ? Phrase{"not as " + std::string(quality.english) + " as",
                                           "nicht so " + std::string(quality.german) + " wie"}
                                  : Phrase{std::string(quality.english_more) + " than",
                                           std::string(quality.german_more) + " als"};
  return {
      join({left.english(false), english_be(left.person()), link.english, right.english(false)}) +
          ".",
      join({left.german(Case::kNominative), left.person() == Person::kThey ? "sind" : "ist",
            link.german, right.german(Case::kNominative)}) +
          "."};
}

Phrase coordination(Chooser& chooser) {
  const Nominal first = chooser.human_subject();
  const Tense tense = chooser.chance(35) ? Tense::kPast : Tense::kPresent;
  if (chooser.chance(50)) {
    Clause second = chore(chooser, pronoun_for(first));
    second.tense = tense;
    second.modal = &modal_named(chooser.chance(50) ? "have to" : "want to");
    const Phrase left = main_clause(being(first, chooser.discomfort(), tense));
    const Phrase right = main_clause(second);
    return {left.english + ", but " + right.english + ".",
            left.german + ", aber " + right.german + "."};
  }
  Nominal other = chooser.human_subject();
  while (same_words(first, other)) other = chooser.human_subject();
  Clause left = task(chooser, first);
  Clause right = task(chooser, other);
  left.tense = right.tense = tense;
  return {english_statement(left) + " and " + english_statement(right) + ".",
          german_clause(left, Order::kSubjectFirst) + " und " +
              german_clause(right, Order::kSubjectFirst) + "."};
}

constexpr std::array<Template, 6> kTemplates = {{
    {"in order to", 25, in_order_to},
    {"try to", 25, try_to},
    {"relative subject", 30, relative_subject},
    {"relative object", 25, relative_object},
    {"comparison", 35, comparison},
    {"coordination", 30, coordination},
}};

}  // namespace

std::span<const Template> compound_templates() { return kTemplates; }

}  // namespace linformer::demo
