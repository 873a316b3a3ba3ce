// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include "data/demo_actions.h"
#include "data/demo_numbers.h"
#include "data/demo_sentences.h"

namespace linformer::demo {
namespace {

Phrase any_clock(Chooser& chooser) {
  static constexpr std::array<std::int64_t, 10> kMinutes = {0, 5, 10, 15, 20, 30, 40, 45, 50, 55};
  return clock_time(chooser.between(1, 12), chooser.one_of(kMinutes));
}

/// "at half past three" or "at 14:35".
Phrase at_time(Chooser& chooser) {
  const Phrase time = chooser.chance(50)
                          ? any_clock(chooser)
                          : digital_time(chooser.between(6, 23), 5 * chooser.between(0, 11));
  return {"at " + time.english, "um " + time.german};
}

Phrase city(Chooser& chooser, bool destination) {
  const Place& place = chooser.place(kCity);
  const std::string_view name = place.english_at.substr(3);
  const std::string_view german = place.german_at.substr(3);
  return {std::string(destination ? "to " : "from ").append(name),
          std::string(destination ? "nach " : "aus ").append(german)};
}

Phrase date_with_year(Chooser& chooser) {
  const Phrase date = day_of_month(chooser.between(1, 28), chooser.between(1, 12));
  const std::string year = " " + std::to_string(chooser.between(1990, 2019));
  return {"on " + date.english + year, "am " + date.german + year};
}

Phrase now(Chooser& chooser) {
  const Phrase time = any_clock(chooser);
  if (chooser.chance(40))
    return {"it is already " + time.english + ".", "es ist schon " + time.german + "."};
  return {"it is " + time.english + ".", "es ist " + time.german + "."};
}

Phrase departure(Chooser& chooser) {
  static constexpr std::array<WordPair, 2> kVehicles = {
      {{"the train", "der Zug"}, {"the bus", "der Bus"}}};
  const WordPair& vehicle = chooser.one_of(kVehicles);
  const bool leaves = chooser.chance(50);
  const Phrase where = city(chooser, leaves);
  const Phrase time = at_time(chooser);
  const std::string_view finite = leaves ? "fährt" : "kommt";
  const std::string_view prefix = leaves ? "ab" : "an";
  const Phrase subject = {join({vehicle.english, where.english}),
                          join({vehicle.german, where.german})};
  const std::string english = join({subject.english, leaves ? "leaves" : "arrives", time.english});
  if (chooser.chance(20)) {
    return {join({"when does", subject.english, leaves ? "leave?" : "arrive?"}),
            join({"wann", finite, subject.german, leaves ? "ab?" : "an?"})};
  }
  if (chooser.chance(25)) {
    return {"I think that " + english + ".",
            "ich glaube, dass " +
                join({subject.german, time.german, std::string(prefix).append(finite)}) + "."};
  }
  return {english + ".", join({subject.german, finite, time.german, prefix}) + "."};
}

Phrase cost(Chooser& chooser) {
  static constexpr std::array<std::int64_t, 6> kCents = {0, 0, 50, 90, 95, 99};
  Nominal what = chooser.thing(pronoun(Person::kI), kClothing | kReading | kThing, true);
  const bool several = what.person() == Person::kThey;
  if (chooser.chance(20)) {
    return {
        join({"how much", several ? "do" : "does", what.english(false), "cost?"}),
        join({"wie viel", several ? "kosten" : "kostet", what.german(Case::kNominative)}) + "?"};
  }
  const Phrase amount = price(chooser.between(2, 40), chooser.one_of(kCents));
  if (chooser.chance(30)) {
    const Nominal buyer = chooser.subject();
    static constexpr std::string_view kHave = "habe hast hat haben";
    const Person person = buyer.person();
    const std::size_t form = person == Person::kThey ? 3 : static_cast<std::size_t>(person);
    return {join({buyer.english(false), "paid", amount.english, "for", what.english(true)}) + ".",
            join({buyer.german(Case::kNominative), word_at(kHave, form), amount.german, "für",
                  what.german(Case::kAccusative), "bezahlt"}) +
                "."};
  }
  return {
      join({what.english(false), several ? "cost" : "costs", amount.english}) + ".",
      join({what.german(Case::kNominative), several ? "kosten" : "kostet", amount.german}) + "."};
}

Phrase born(Chooser& chooser) {
  static constexpr std::string_view kWas = "wurde wurdest wurde wurden";
  const Nominal who = chooser.subject();
  const Person person = who.person();
  const Phrase date = date_with_year(chooser);
  const std::size_t form = person == Person::kThey ? 3 : static_cast<std::size_t>(person);
  return {join({who.english(false), english_be(person, true), "born", date.english}) + ".",
          join({who.german(Case::kNominative), word_at(kWas, form), date.german, "geboren"}) + "."};
}

Phrase today(Chooser& chooser) {
  const WordPair& day = chooser.one_of(weekdays());
  const Phrase date = day_of_month(chooser.between(1, 28), chooser.between(1, 12));
  return {join({"today is", std::string(day.english) + ",", date.english}) + ".",
          join({"heute ist", std::string(day.german) + ",", "der", date.german}) + "."};
}

Phrase appointment(Chooser& chooser) {
  const Phrase date = day_of_month(chooser.between(1, 28), chooser.between(1, 12));
  Clause clause =
      motion(chooser, chooser.subject(), Tense::kPresent, kLeisure | kShopPlace | kTransit | kCity);
  clause.time = {"on " + date.english, "am " + date.german};
  if (chooser.chance(40)) clause.tense = Tense::kFuture;
  const bool first = chooser.chance(30);
  return {english_statement(clause, first) + ".",
          german_clause(clause, first ? Order::kTimeFirst : Order::kSubjectFirst) + "."};
}

std::int64_t likely_age(Chooser& chooser, const Nominal& who) {
  if (who.noun == nullptr) return chooser.between(2, 70);
  const std::string_view noun = who.noun->english;
  if (noun == "child" || noun == "boy" || noun == "girl") return chooser.between(2, 14);
  if (noun == "student") return chooser.between(18, 30);
  if (noun == "son" || noun == "daughter") return chooser.between(2, 40);
  return chooser.between(25, 70);
}

Phrase age(Chooser& chooser) {
  Nominal who = chooser.subject();
  who.adjective = nullptr;
  const Person person = who.person();
  static constexpr std::string_view kBe = "bin bist ist sind";
  const std::string_view german_be =
      word_at(kBe, person == Person::kThey ? 3 : static_cast<std::size_t>(person));
  if (chooser.chance(20)) {
    return {join({"how old", english_be(person), who.english(false)}) + "?",
            join({"wie alt", german_be, who.german(Case::kNominative)}) + "?"};
  }
  const Phrase years = number_word(likely_age(chooser, who));
  return {join({who.english(false), english_be(person), years.english, "years old"}) + ".",
          join({who.german(Case::kNominative), german_be, years.german, "Jahre alt"}) + "."};
}

Phrase count(Chooser& chooser) {
  static constexpr std::array<std::string_view, 7> kPeople = {"man",  "woman",   "child", "boy",
                                                              "girl", "student", "doctor"};
  static constexpr std::array<std::string_view, 5> kFittings = {"chair", "table", "window",
                                                                "computer", "lamp"};
  const Phrase number = number_word(chooser.between(2, 70));
  if (chooser.chance(35)) {
    Clause clause{.subject = chooser.subject(), .verb = &verb_named("haben")};
    clause.object = noun_phrase(chooser.noun(kReading | kThing | kClothing | kFood | kAnimal),
                                Determiner::kA, true);
    clause.object.number = number;
    if (chooser.chance(30)) clause.tense = Tense::kPast;
    return {english_statement(clause) + ".", german_clause(clause, Order::kSubjectFirst) + "."};
  }
  const bool people = chooser.chance(50);
  Nominal what =
      noun_phrase(noun_named(people ? chooser.one_of(kPeople) : chooser.one_of(kFittings)),
                  Determiner::kA, true);
  what.number = number;
  const Phrase where = people ? chooser.location(kLeisure | kTransit | kPark | kWorkPlace)
                              : chooser.location(kLeisure | kWorkPlace);
  return {join({"there are", what.english(false), where.english}) + ".",
          join({where.german, "sind", what.german(Case::kNominative)}) + "."};
}

Phrase since(Chooser& chooser) {
  const Nominal who = chooser.subject();
  const Phrase number = number_word(chooser.between(2, 30));
  const bool years = chooser.chance(60);
  const bool works = chooser.chance(40);
  const Phrase where = chooser.location(works ? kCity | kWorkPlace : std::uint32_t{kCity});
  const Person person = who.person();
  Clause clause{
      .subject = who, .verb = &verb_named(works ? "arbeiten" : "wohnen"), .direction = where};
  clause.time = {"", "seit " + number.german + (years ? " Jahren" : " Monaten")};
  const bool third = person == Person::kHe;
  return {join({who.english(false), third ? "has" : "have", works ? "worked" : "lived",
                where.english, "for", number.english, years ? "years" : "months"}) +
              ".",
          german_clause(clause, Order::kSubjectFirst) + "."};
}

Phrase sum(Chooser& chooser) {
  const bool minus = chooser.chance(40);
  const std::int64_t total = chooser.between(2, 40);
  const std::int64_t part = chooser.between(1, total - 1);
  const Phrase first = number_word(minus ? total : part);
  const Phrase second = number_word(minus ? part : total - part);
  const Phrase result = number_word(minus ? total - part : total);
  return {
      join({first.english, minus ? "minus" : "plus", second.english, "is", result.english}) + ".",
      join({first.german, minus ? "minus" : "plus", second.german, "ist", result.german}) + "."};
}

Phrase how_many(Chooser& chooser) {
  static constexpr std::array<std::string_view, 4> kVerbs = {"brauchen", "kaufen", "haben",
                                                             "verkaufen"};
  Clause clause{.subject = chooser.other_subject(), .verb = &verb_named(chooser.one_of(kVerbs))};
  if (chooser.chance(40)) clause.tense = Tense::kPast;
  Nominal what =
      noun_phrase(chooser.noun(clause.verb->objects & ~static_cast<std::uint32_t>(kDevice)),
                  Determiner::kA, true);
  if (chooser.chance(30)) what.adjective = chooser.adjective(*what.noun);
  return {english_question(clause, "how many " + what.english(true)) + "?",
          "wie viele " + what.german(Case::kAccusative) + " " +
              german_clause(clause, Order::kVerbFirst) + "?"};
}

constexpr std::array<Template, 11> kTemplates = {{
    {"clock", 5, now},
    {"departure", 35, departure},
    {"cost", 45, cost},
    {"born", 35, born},
    {"today", 10, today},
    {"appointment", 20, appointment},
    {"age", 35, age},
    {"count", 40, count},
    {"since", 15, since},
    {"sum", 15, sum},
    {"how many", 15, how_many},
}};

}  // namespace

std::span<const Template> number_templates() { return kTemplates; }

}  // namespace linformer::demo
