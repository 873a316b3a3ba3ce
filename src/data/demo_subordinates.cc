// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include "data/demo_actions.h"
#include "data/demo_sentences.h"
#include "data/demo_tasks.h"

namespace linformer::demo {
namespace {

Clause duty(Chooser& chooser, const Nominal& subject, Tense tense) {
  Clause clause = task(chooser, subject);
  clause.tense = tense;
  clause.modal = &modal_named(chooser.chance(50) ? "have to" : "want to");
  return clause;
}

/// What keeps one at home.
Clause housework(Chooser& chooser, const Nominal& subject, Tense tense) {
  static constexpr std::array<std::string_view, 8> kVerbs = {
      "lesen", "waschen", "reparieren", "schlafen", "arbeiten", "anrufen", "helfen", "warten"};
  while (true) {
    const Clause clause = duty(chooser, subject, tense);
    for (const std::string_view verb : kVerbs) {
      if (clause.verb == &verb_named(verb)) return clause;
    }
  }
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

Phrase because(Chooser& chooser) {
  const Nominal subject = chooser.human_subject();
  const Nominal again = pronoun_for(subject);
  const Tense tense = chooser.chance(40) ? Tense::kPast : Tense::kPresent;
  const bool past = tense == Tense::kPast;
  const std::size_t draw = chooser.below(100);
  if (draw < 50) {
    if (chooser.chance(30)) {
      return main_then(main_clause(staying_home(subject, tense)),
                       subordinate("because", "weil", housework(chooser, again, tense)));
    }
    const std::uint32_t kind = errand_place(chooser);
    Clause aim = errand(chooser, again, kind);
    aim.tense = tense;
    aim.modal = &modal_named(chooser.chance(50) ? "have to" : "want to");
    return main_then(main_clause(trip(chooser, subject, tense, kind)),
                     subordinate("because", "weil", aim));
  }
  const Phrase main = main_clause(hindered(chooser, subject, tense));
  if (draw < 60) {
    return main_then(main, {past ? "because it was raining" : "because it is raining",
                            past ? "weil es geregnet hat" : "weil es regnet"});
  }
  const Phrase state = chooser.chance(50) ? Phrase{"tired", "müde"} : Phrase{"ill", "krank"};
  const Clause reason =
      chooser.chance(60) ? being(again, state, tense) : lack(chooser, again, tense);
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
  Clause clause = short_action(chooser, subject, chooser.one_of(kTenses));
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
  const Phrase main = {
      join({speaker.english(false), third ? opinion.english_he : opinion.english_i}),
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
  const Phrase main = {
      join({speaker.english(false), person == Person::kHe ? "does not know" : "do not know"}),
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
  if (draw == 2)
    return {.subject = subject, .verb = &verb_named("trinken"), .bare_object = chooser.drink()};
  return {.subject = subject,
          .verb = &verb_named("anrufen"),
          .object = chooser.chance(50) ? noun_phrase(noun_named("doctor"), Determiner::kThe)
                                       : chooser.person(subject)};
}

Phrase condition(Chooser& chooser) {
  static const std::array<Phrase, 2> kAssets = {{{"time", "Zeit"}, {"money", "Geld"}}};
  static constexpr std::array<std::string_view, 3> kModals = {"can", "have to", "should"};
  const Nominal subject = pronoun_for(chooser.human_subject());
  const std::size_t draw = chooser.below(100);
  Clause main = draw < 30 ? comfort(chooser, subject) : task(chooser, subject);
  main.modal = &modal_named(draw >= 45 && draw < 75 ? "can" : chooser.one_of(kModals));
  if (draw < 30)
    return in_either_order(chooser, subordinate("if", "wenn", being(subject, chooser.discomfort())),
                           main);
  if (draw < 45) return in_either_order(chooser, {"if it rains", "wenn es regnet"}, main);
  if (draw < 75) {
    return in_either_order(
        chooser, subordinate("if", "wenn", having(subject, chooser.one_of(kAssets))), main);
  }
  Clause wish = motion(chooser, subject, Tense::kPresent);
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
                   subordinate("before", "bevor", motion(chooser, subject, Tense::kSimple)));
}

constexpr std::array<Template, 6> kTemplates = {{
    {"because", 40, because},
    {"that", 40, that},
    {"whether", 15, whether},
    {"if", 35, condition},
    {"although", 20, although},
    {"before", 15, before},
}};

}  // namespace

std::span<const Template> subordinate_templates() { return kTemplates; }

}  // namespace linformer::demo
