// SPDX-License-Identifier: Apache-2.0
#include "data/demo_clause.h"

#include <array>

#include "base/check.h"

namespace linformer::demo {
namespace {

std::size_t index_of(Person person) { return static_cast<std::size_t>(person); }

/// Which of four German verb forms: ich, du, er, wir and sie.
std::size_t form_index(Person person) { return person == Person::kThey ? 3 : index_of(person); }

std::string german_present(const Verb& verb, Person person) {
  if (person == Person::kWe || person == Person::kThey) {
    const std::string_view infinitive = word_at(verb.german, 0);
    return infinitive == "sein" ? "sind" : std::string(infinitive);
  }
  return std::string(word_at(verb.german, 1 + index_of(person)));
}

std::string german_past(const Verb& verb, Person person) {
  static constexpr std::array<std::size_t, 5> kForms = {0, 1, 0, 2, 2};
  return std::string(word_at(verb.german_past, kForms[index_of(person)]));
}

std::string german_infinitive(const Verb& verb) {
  return std::string(verb.prefix).append(word_at(verb.german, 0));
}

/// The two places of a German predicate: the part that is conjugated, and what stands at the end of
/// the clause.
struct Predicate {
  std::string finite;
  std::string tail;
  bool tail_is_prefix = false;  // joined to the finite part where that stands last
};

Predicate german_predicate(const Clause& clause) {
  static constexpr std::array<std::string_view, 3> kAuxiliaries = {
      "habe hast hat haben", "bin bist ist sind", "werde wirst wird werden"};
  const Verb& verb = *clause.verb;
  const Person person = clause.subject.person();
  const std::size_t form = form_index(person);
  if (clause.modal != nullptr) {
    const bool past = clause.tense == Tense::kPast;
    return {std::string(word_at(past ? clause.modal->german_past : clause.modal->german, form)),
            german_infinitive(verb)};
  }
  switch (clause.tense) {
    case Tense::kPresent:
    case Tense::kSimple:
      return {german_present(verb, person), std::string(verb.prefix), true};
    case Tense::kPast:
      if (!verb.german_past.empty()) return {german_past(verb, person), {}};
      return {std::string(word_at(kAuxiliaries[verb.perfect_with_sein ? 1 : 0], form)),
              std::string(word_at(verb.german, 4))};
    case Tense::kFuture:
      return {std::string(word_at(kAuxiliaries[2], form)), german_infinitive(verb)};
  }
  return {};
}

/// Everything between the finite verb and the tail: pronouns and datives, time, definite objects,
/// places, indefinite objects.
std::string german_middle(const Clause& clause, bool with_time) {
  const Verb& verb = *clause.verb;
  Nominal object = clause.object;
  if (clause.negated_object) object.determiner = Determiner::kNo;
  std::string early;
  std::string definite;
  std::string indefinite = clause.bare_object.german;
  std::string last = clause.direction.german;
  if (clause.receiver.present()) early = clause.receiver.german(Case::kDative);
  if (object.present() && !verb.german_preposition.empty()) {
    last = german_prepositional(verb.german_preposition, object, verb.object_case);
  } else if (object.present()) {
    const bool first = object.is_pronoun() || verb.object_case == Case::kDative;
    std::string& place = first ? early : object.definite() ? definite : indefinite;
    place = object.german(verb.object_case);
  }
  return join({early, with_time ? std::string_view(clause.time.german) : std::string_view(),
               clause.adverb.german, definite, clause.negated ? "nicht" : "", clause.adjunct.german,
               indefinite, last});
}

/// Objects, places and time after an English verb, with its particle.
std::string english_rest(const Clause& clause, bool with_time) {
  const Verb& verb = *clause.verb;
  const std::string object = clause.object.present() ? clause.object.english(true) : std::string();
  const std::string receiver =
      clause.receiver.present() ? clause.receiver.english(true) : std::string();
  const bool particle_last = clause.object.is_pronoun();
  return join({particle_last ? "" : verb.particle, verb.preposition, receiver, object,
               particle_last ? verb.particle : "", clause.bare_object.english,
               clause.direction.english, clause.adjunct.english,
               with_time ? std::string_view(clause.time.english) : std::string_view()});
}

std::string_view english_form(const Clause& clause, std::size_t index) {
  return word_at(clause.verb->english, index);
}

bool is_be(const Clause& clause) { return english_form(clause, 0) == "be"; }

bool is_progressive(const Clause& clause) {
  return clause.tense == Tense::kPresent && !clause.verb->stative;
}

std::string_view english_do(Person person, Tense tense) {
  if (tense == Tense::kPast) return "did";
  return person == Person::kHe ? "does" : "do";
}

std::string english_modal(const Clause& clause) {
  const Modal& modal = *clause.modal;
  const bool third = clause.subject.person() == Person::kHe;
  if (clause.tense == Tense::kPast) {
    LF_CHECK(!modal.english_past.empty() && !clause.negated && !clause.negated_object,
             std::string(modal.english_i));
    return std::string(modal.english_past);
  }
  if (clause.negated || clause.negated_object) {
    LF_CHECK(!modal.negated_i.empty(), std::string(modal.english_i));
    return std::string(third ? modal.negated_he : modal.negated_i);
  }
  return std::string(third ? modal.english_he : modal.english_i);
}

std::string english_predicate(const Clause& clause) {
  const Person person = clause.subject.person();
  const std::string_view negation = clause.negated || clause.negated_object ? "not" : "";
  const std::string_view base = english_form(clause, 0);
  if (clause.modal != nullptr) return join({english_modal(clause), base});
  if (clause.tense == Tense::kFuture) return join({"will", negation, base});
  if (is_be(clause)) return join({english_be(person, clause.tense == Tense::kPast), negation});
  if (is_progressive(clause)) return join({english_be(person), negation, english_form(clause, 2)});
  if (!negation.empty()) return join({english_do(person, clause.tense), negation, base});
  if (clause.tense == Tense::kPast) return std::string(english_form(clause, 3));
  return join({clause.adverb.english, person == Person::kHe ? english_form(clause, 1) : base});
}

}  // namespace

std::string_view english_be(Person person, bool past) {
  const bool single = person == Person::kI || person == Person::kHe;
  if (past) return single ? "was" : "were";
  return person == Person::kI ? "am" : single ? "is" : "are";
}

std::string english_statement(const Clause& clause, bool time_first) {
  return join({time_first ? std::string_view(clause.time.english) : std::string_view(),
               clause.subject.english(false), english_predicate(clause),
               english_rest(clause, !time_first)});
}

std::string english_question(const Clause& clause, std::string_view question_word) {
  const Person person = clause.subject.person();
  const std::string subject = clause.subject.english(false);
  const std::string_view base = english_form(clause, 0);
  const std::string rest = english_rest(clause, true);
  if (clause.modal != nullptr && !clause.modal->question_do.empty()) {
    const std::string_view auxiliary = clause.modal->question_do == "do"
                                           ? english_do(person, clause.tense)
                                           : clause.modal->question_do;
    return join({question_word, auxiliary, subject, clause.modal->question_rest, base, rest});
  }
  if (clause.modal != nullptr)
    return join({question_word, clause.modal->english_i, subject, base, rest});
  if (clause.tense == Tense::kFuture) return join({question_word, "will", subject, base, rest});
  if (is_be(clause))
    return join({question_word, english_be(person, clause.tense == Tense::kPast), subject, rest});
  if (is_progressive(clause)) {
    return join({question_word, english_be(person), subject, english_form(clause, 2), rest});
  }
  return join({question_word, english_do(person, clause.tense), subject, clause.adverb.english,
               base, rest});
}

std::string english_infinitive(const Clause& clause) {
  return join({english_form(clause, 0), english_rest(clause, true)});
}

std::string german_clause(const Clause& clause, Order order) {
  const std::string middle = german_middle(clause, order != Order::kTimeFirst);
  const Verb& verb = *clause.verb;
  if (order == Order::kInfinitive) {
    const std::string_view infinitive = word_at(verb.german, 0);
    if (verb.prefix.empty()) return join({middle, "zu", infinitive});
    return join({middle, std::string(verb.prefix).append("zu").append(infinitive)});
  }
  const Predicate predicate = german_predicate(clause);
  const std::string subject = clause.subject.german(Case::kNominative);
  const std::string last = predicate.tail_is_prefix ? predicate.tail + predicate.finite
                                                    : join({predicate.tail, predicate.finite});
  switch (order) {
    case Order::kSubjectFirst:
      return join({subject, predicate.finite, middle, predicate.tail});
    case Order::kTimeFirst:
      return join({clause.time.german, predicate.finite, subject, middle, predicate.tail});
    case Order::kVerbFirst:
      return join({predicate.finite, subject, middle, predicate.tail});
    case Order::kVerbLast:
      return join({subject, middle, last});
    case Order::kSubjectDropped:
      return join({middle, last});
    case Order::kInfinitive:
      break;
  }
  return {};
}

std::string german_imperative(const Clause& clause) {
  const std::string_view form = word_at(clause.verb->german, 5);
  LF_CHECK(form != "-", std::string(clause.verb->english));
  return join({form, german_middle(clause, true), clause.verb->prefix});
}

}  // namespace linformer::demo
