// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include "data/demo_numbers.h"
#include "data/demo_sentences.h"

namespace linformer::demo {
namespace {

const Modal& modal_named(std::string_view english) {
  for (const Modal& candidate : modals()) {
    if (candidate.english_i == english) return candidate;
  }
  return modals().front();
}

/// A statement without its full stop.
Phrase main_clause(const Clause& clause) {
  return {english_statement(clause), german_clause(clause, Order::kSubjectFirst)};
}

/// "because he is ill", ", weil er krank ist" without the comma.
Phrase subordinate(std::string_view english, std::string_view german, const Clause& clause) {
  return {join({english, english_statement(clause)}), join({german, german_clause(clause, Order::kVerbLast)})};
}

/// Main clause, comma where German wants one, subordinate clause.
Phrase main_then(const Phrase& main, const Phrase& other) {
  return {main.english + " " + other.english + ".", main.german + ", " + other.german + "."};
}

Clause being(const Nominal& subject, const Phrase& predicate, Tense tense = Tense::kPresent) {
  return {.subject = subject, .verb = &verb_named("sein"), .tense = tense, .direction = predicate};
}

Clause having(const Nominal& subject, const Phrase& what, Tense tense = Tense::kPresent) {
  return {.subject = subject, .verb = &verb_named("haben"), .tense = tense, .bare_object = what};
}

Clause staying_home(const Nominal& subject, Tense tense) {
  return {.subject = subject,
          .verb = &verb_named("bleiben"),
          .tense = tense,
          .direction = {"at home", "zu Hause"}};
}

/// What one does on purpose and to an end: fit for "has to", "in order to", "tries to".
Clause task(Chooser& chooser, const Nominal& subject) {
  while (true) {
    Clause clause = chooser.short_action(subject, Tense::kPresent);
    const bool idle = clause.verb == &verb_named("bleiben") || clause.verb == &verb_named("tragen");
    if (!clause.verb->stative && !idle) return clause;
  }
}

/// "has no time", "has no money".
Clause lack(Chooser& chooser, const Nominal& subject, Tense tense) {
  static const std::array<Phrase, 2> kLacks = {{{"no time", "keine Zeit"}, {"no money", "kein Geld"}}};
  return having(subject, chooser.one_of(kLacks), tense);
}

/// A task that a hungry person may dislike.
Clause chore(Chooser& chooser, const Nominal& subject) {
  while (true) {
    Clause clause = task(chooser, subject);
    if (clause.verb != &verb_named("essen") && clause.verb != &verb_named("trinken")) return clause;
  }
}

Clause duty(Chooser& chooser, const Nominal& subject, Tense tense) {
  Clause clause = task(chooser, subject);
  clause.tense = tense;
  clause.modal = &modal_named(chooser.chance(50) ? "have to" : "want to");
  return clause;
}

/// What illness, rain or lack of time keep one from, or to.
Clause hindered(Chooser& chooser, const Nominal& subject, Tense tense) {
  while (tense == Tense::kPresent && chooser.chance(60)) {
    Clause clause = chore(chooser, subject);
    if (!clause.object.definite() || !clause.bare_object.empty()) continue;
    clause.modal = &modal_named("can");
    clause.negated = true;
    return clause;
  }
  return staying_home(subject, tense);
}

/// The purpose of going somewhere, by the kind of place.
Clause errand(Chooser& chooser, const Nominal& subject, std::uint32_t kind) {
  Clause clause{.subject = subject};
  if (kind == kShopPlace) {
    clause.verb = &verb_named("kaufen");
    clause.object = chooser.thing(subject, kFood | kClothing | kReading | kThing | kVehicle);
    if (clause.object.determiner != Determiner::kThe) clause.object.determiner = Determiner::kA;
    return clause;
  }
  const std::string_view verb = kind == kTransit ? "abholen" : chooser.chance(50) ? "treffen" : "besuchen";
  clause.verb = &verb_named(verb);
  clause.object = chooser.person(subject);
  return clause;
}

/// A way to a place of that kind.
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

Phrase because(Chooser& chooser) {
  const Nominal subject = chooser.human_subject();
  const Nominal again = pronoun_for(subject);
  const Tense tense = chooser.chance(40) ? Tense::kPast : Tense::kPresent;
  const bool past = tense == Tense::kPast;
  const std::size_t draw = chooser.below(100);
  if (draw < 50) {
    if (chooser.chance(30)) {
      return main_then(main_clause(staying_home(subject, tense)),
                       subordinate("because", "weil", duty(chooser, again, tense)));
    }
    const std::uint32_t kind = errand_place(chooser);
    Clause aim = errand(chooser, again, kind);
    aim.tense = tense;
    aim.modal = &modal_named(chooser.chance(50) ? "have to" : "want to");
    return main_then(main_clause(trip(chooser, subject, tense, kind)), subordinate("because", "weil", aim));
  }
  const Phrase main = main_clause(hindered(chooser, subject, tense));
  if (draw < 60) {
    return main_then(main, {past ? "because it was raining" : "because it is raining",
                            past ? "weil es geregnet hat" : "weil es regnet"});
  }
  const Phrase state = chooser.chance(50) ? Phrase{"tired", "müde"} : Phrase{"ill", "krank"};
  const Clause reason = chooser.chance(60) ? being(again, state, tense) : lack(chooser, again, tense);
  return main_then(main, subordinate("because", "weil", reason));
}

/// A verb of knowing or saying: English forms of I and he, German forms of ich, du, er, wir.
struct Opinion {
  std::string_view english_i, english_he, german;
};
constexpr std::array<Opinion, 4> kOpinions = {{{"know", "knows", "weiß weißt weiß wissen"},
                                               {"think", "thinks", "glaube glaubst glaubt glauben"},
                                               {"hope", "hopes", "hoffe hoffst hofft hoffen"},
                                               {"say", "says", "sage sagst sagt sagen"}}};

std::string_view opinion_form(const Opinion& opinion, Person person) {
  return word_at(opinion.german, person == Person::kThey ? 3 : static_cast<std::size_t>(person));
}

/// Any statement, for "that" and "whether".
Clause content(Chooser& chooser, const Nominal& subject) {
  static constexpr std::array<Tense, 3> kTenses = {Tense::kPresent, Tense::kPast, Tense::kFuture};
  if (chooser.chance(25)) {
    return being(subject, chooser.feeling(), chooser.chance(60) ? Tense::kPresent : Tense::kPast);
  }
  Clause clause = chooser.short_action(subject, chooser.one_of(kTenses));
  if (clause.verb->stative) {
    if (clause.tense == Tense::kFuture) clause.tense = Tense::kPresent;
    return clause;
  }
  if (clause.tense == Tense::kPresent && chooser.chance(35)) clause.modal = &chooser.modal();
  if (chooser.chance(35)) clause.time = chooser.time(clause.tense);
  return clause;
}

Phrase that(Chooser& chooser) {
  const Nominal speaker = chooser.subject();
  Nominal subject = chooser.subject();
  while (!subject.is_pronoun() && same_words(speaker, subject)) subject = chooser.subject();
  const Opinion& opinion = chooser.one_of(kOpinions);
  const Person person = speaker.person();
  const bool third = person == Person::kHe;
  const Phrase main = {join({speaker.english(false), third ? opinion.english_he : opinion.english_i}),
                       join({speaker.german(Case::kNominative), opinion_form(opinion, person)})};
  return main_then(main, subordinate("that", "dass", content(chooser, subject)));
}

Phrase whether(Chooser& chooser) {
  const Phrase other = subordinate("whether", "ob", content(chooser, chooser.subject()));
  if (chooser.chance(50)) {
    return {"do you know " + other.english + "?", "weißt du, " + other.german + "?"};
  }
  const Nominal speaker = chooser.human_subject();
  const Person person = speaker.person();
  const Phrase main = {join({speaker.english(false), person == Person::kHe ? "does not know" : "do not know"}),
                       join({speaker.german(Case::kNominative), opinion_form(kOpinions[0], person), "nicht"})};
  return main_then(main, other);
}

/// Subordinate clause in front, main clause with its verb first; or the other way round.
Phrase in_either_order(Chooser& chooser, const Phrase& condition, const Clause& main) {
  if (chooser.chance(50)) return main_then(main_clause(main), condition);
  return {condition.english + ", " + english_statement(main) + ".",
          condition.german + ", " + german_clause(main, Order::kVerbFirst) + "."};
}

/// What one does when one does not feel well.
Clause comfort(Chooser& chooser, const Nominal& subject) {
  const std::size_t draw = chooser.below(4);
  if (draw == 0) return staying_home(subject, Tense::kPresent);
  if (draw == 1) return {.subject = subject, .verb = &verb_named("schlafen")};
  if (draw == 2) return {.subject = subject, .verb = &verb_named("trinken"), .bare_object = chooser.drink()};
  return {.subject = subject,
          .verb = &verb_named("anrufen"),
          .object = chooser.chance(50) ? noun_phrase(noun_named("doctor"), Determiner::kThe) : chooser.person(subject)};
}

Phrase condition(Chooser& chooser) {
  static const std::array<Phrase, 2> kAssets = {{{"time", "Zeit"}, {"money", "Geld"}}};
  static constexpr std::array<std::string_view, 3> kModals = {"can", "have to", "should"};
  const Nominal subject = pronoun_for(chooser.human_subject());
  const std::size_t draw = chooser.below(100);
  Clause main = draw < 30 ? comfort(chooser, subject) : task(chooser, subject);
  main.modal = &modal_named(chooser.one_of(kModals));
  if (draw < 30) return in_either_order(chooser, subordinate("if", "wenn", being(subject, chooser.discomfort())), main);
  if (draw < 45) return in_either_order(chooser, {"if it rains", "wenn es regnet"}, main);
  if (draw < 75) {
    return in_either_order(chooser, subordinate("if", "wenn", having(subject, chooser.one_of(kAssets))), main);
  }
  Clause wish = chooser.motion(subject, Tense::kPresent);
  wish.modal = &modal_named("want to");
  return in_either_order(chooser, subordinate("if", "wenn", wish), main);
}

Phrase although(Chooser& chooser) {
  const Nominal subject = pronoun_for(chooser.human_subject());
  const Tense tense = chooser.chance(30) ? Tense::kPast : Tense::kPresent;
  Clause main = chore(chooser, subject);
  main.tense = tense;
  if (chooser.chance(60)) main.modal = &modal_named(chooser.chance(50) ? "have to" : "want to");
  const Clause obstacle = chooser.chance(70) ? being(subject, chooser.discomfort(), tense)
                                             : lack(chooser, subject, tense);
  return in_either_order(chooser, subordinate("although", "obwohl", obstacle), main);
}

Phrase before(Chooser& chooser) {
  const Nominal subject = pronoun_for(chooser.human_subject());
  Clause main = task(chooser, subject);
  while (main.verb == &verb_named("zurückkommen")) main = task(chooser, subject);
  main.modal = &chooser.modal();
  return main_then(main_clause(main),
                   subordinate("before", "bevor", chooser.motion(subject, Tense::kSimple)));
}

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
  static constexpr std::array<std::string_view, 2> kTries = {"versuche versuchst versucht versuchen",
                                                             "habe hast hat haben"};
  const std::size_t form = person == Person::kThey ? 3 : static_cast<std::size_t>(person);
  return main_then({join({subject.english(false), forgot ? "forgot" : join({english_be(person), "trying"})}),
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
  static constexpr std::array<std::string_view, 6> kPeople = {"man", "woman", "boy", "girl", "teacher", "student"};
  Nominal person = noun_phrase(noun_named(chooser.one_of(kPeople)), Determiner::kThe, chooser.chance(25));
  Clause inner = chooser.action(person, chooser.chance(30) ? Tense::kPast : Tense::kPresent);
  inner.adjunct = inner.object.present() ? Phrase{} : inner.adjunct;
  const std::string subject = person.english(false);
  const std::string english = "who" + english_statement(inner).substr(subject.size());
  const auto german = [&](Case grammatical_case) {
    return join({person.german(grammatical_case)}) + ", " +
           join({relative_pronoun(person, Case::kNominative), german_clause(inner, Order::kSubjectDropped)});
  };
  if (chooser.chance(40)) {
    Clause main{.subject = chooser.subject(), .verb = &verb_named("kennen")};
    while (main.subject.noun == person.noun) main.subject = chooser.subject();
    return {join({main.subject.english(false), main.subject.person() == Person::kHe ? "knows" : "know", subject,
                  english}) + ".",
            join({main.subject.german(Case::kNominative), german_clause(main, Order::kSubjectDropped),
                  german(Case::kAccusative)}) + "."};
  }
  const Nominal who = identity(chooser, person);
  const bool feels = chooser.chance(40);
  const Phrase tail = feels ? chooser.feeling() : Phrase{who.english(false), who.german(Case::kNominative)};
  return {join({subject, english, english_be(person.person()), tail.english}) + ".",
          join({german(Case::kNominative) + ",", person.plural ? "sind" : "ist", tail.german}) + "."};
}

Phrase relative_object(Chooser& chooser) {
  static constexpr std::array<std::string_view, 6> kVerbs = {"kaufen", "lesen", "suchen", "brauchen", "tragen",
                                                             "verkaufen"};
  const Nominal subject = chooser.subject();
  Clause inner{.subject = subject, .verb = &verb_named(chooser.one_of(kVerbs))};
  if (chooser.chance(45)) inner.tense = Tense::kPast;
  Nominal thing = chooser.thing(subject, inner.verb->objects & ~static_cast<std::uint32_t>(kAnimal), true);
  thing.determiner = Determiner::kThe;
  thing.number = {};
  const Adjective* quality = chooser.adjective(*thing.noun);
  if (thing.adjective == quality || quality->english_more.empty()) thing.adjective = nullptr;
  if (thing.adjective != nullptr && !thing.adjective->english_more.empty()) thing.adjective = nullptr;
  static const std::array<Phrase, 3> kDegrees = {{{"very ", "sehr "}, {"too ", "zu "}, {"", ""}}};
  const Phrase degree = quality->english_more.empty() ? Phrase{} : chooser.one_of(kDegrees);
  return {join({thing.english(false), "that", english_statement(inner), english_be(thing.person()),
                degree.english + std::string(quality->english)}) + ".",
          thing.german(Case::kNominative) + ", " +
              join({relative_pronoun(thing, Case::kAccusative), german_clause(inner, Order::kVerbLast)}) + ", " +
              join({thing.plural ? "sind" : "ist", degree.german + std::string(quality->german)}) + "."};
}

Phrase comparison(Chooser& chooser) {
  const bool people = chooser.chance(35);
  const Adjective& quality = [&]() -> const Adjective& {
    while (true) {
      const Adjective& candidate = people ? adjective_named(chooser.one_of({"old", "young"}))
                                          : chooser.one_of(adjectives());
      if (!candidate.english_more.empty()) return candidate;
    }
  }();
  const auto draw = [&] {
    while (true) {
      Nominal result = people ? chooser.person(pronoun(Person::kI))
                              : chooser.thing(pronoun(Person::kI), quality.kinds & ~(kPersonNoun | kRelative), true);
      if (result.is_pronoun()) continue;
      if (people) result.adjective = nullptr;
      if (!people && result.adjective != nullptr && !result.adjective->english_more.empty()) result.adjective = nullptr;
      return result;
    }
  };
  const Nominal left = draw();
  Nominal right = draw();
  while (left.german(Case::kNominative) == right.german(Case::kNominative) || (people && same_words(left, right))) {
    right = draw();
  }
  const std::size_t kind = chooser.below(3);
  const Phrase link = kind == 0   ? Phrase{"as " + std::string(quality.english) + " as",
                                           "so " + std::string(quality.german) + " wie"}
                      : kind == 1 ? Phrase{"not as " + std::string(quality.english) + " as",
                                           "nicht so " + std::string(quality.german) + " wie"}
                                  : Phrase{std::string(quality.english_more) + " than",
                                           std::string(quality.german_more) + " als"};
  return {join({left.english(false), english_be(left.person()), link.english, right.english(false)}) + ".",
          join({left.german(Case::kNominative), left.person() == Person::kThey ? "sind" : "ist", link.german,
                right.german(Case::kNominative)}) + "."};
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
    return {left.english + ", but " + right.english + ".", left.german + ", aber " + right.german + "."};
  }
  Nominal other = chooser.human_subject();
  while (same_words(first, other)) other = chooser.human_subject();
  Clause left = task(chooser, first);
  Clause right = task(chooser, other);
  left.tense = right.tense = tense;
  return {english_statement(left) + " and " + english_statement(right) + ".",
          german_clause(left, Order::kSubjectFirst) + " und " + german_clause(right, Order::kSubjectFirst) + "."};
}

constexpr std::array<Template, 12> kTemplates = {{
    {"because", 40, because},
    {"that", 40, that},
    {"whether", 15, whether},
    {"if", 35, condition},
    {"although", 20, although},
    {"before", 15, before},
    {"in order to", 25, in_order_to},
    {"try to", 25, try_to},
    {"who", 30, relative_subject},
    {"that one", 25, relative_object},
    {"comparison", 25, comparison},
    {"and", 30, coordination},
}};

}  // namespace

std::span<const Template> compound_templates() { return kTemplates; }

}  // namespace linformer::demo
