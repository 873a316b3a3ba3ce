// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/demo_lexicon.h"
#include "data/demo_nominal.h"

namespace linformer::demo {

enum class Tense : std::uint8_t {
  kPresent,  // she is reading (statives: she needs)
  kSimple,   // she reads
  kPast,     // she read: "hat gelesen"
  kFuture,   // she will read
};

/// One clause. What is absent is left empty.
struct Clause {
  Nominal subject;
  const Verb* verb = nullptr;
  Tense tense = Tense::kPresent;
  const Modal* modal = nullptr;  // with kPresent or kPast
  bool negated = false;  // "not"; a negated indefinite object is said by Determiner::kNo instead
  bool negated_object = false;  // "is not buying a car": the object is said with "kein"
  Nominal receiver;             // dative beside an object
  Nominal object;               // in the verb's case
  Phrase bare_object;           // an object without article: "coffee"
  Phrase direction;  // "to the park", "for my brother", "on the table"; a predicate of "be"
  Phrase adjunct;    // "in the park", "with my brother"
  Phrase adverb;     // "often"
  Phrase time;       // "on Monday"
};

/// English statement, with the time at its end; `time_first`: before it, without a comma.
std::string english_statement(const Clause& clause, bool time_first = false);
/// English question, after `question_word` when there is one. Without question mark.
std::string english_question(const Clause& clause, std::string_view question_word = {});
/// "to open the door", "open the door"; tense and subject play no part.
std::string english_infinitive(const Clause& clause);

/// Order of a German clause.
enum class Order : std::uint8_t {
  kSubjectFirst,    // Sie liest heute das Buch
  kTimeFirst,       // Heute liest sie das Buch
  kVerbFirst,       // Liest sie heute das Buch
  kVerbLast,        // (dass) sie heute das Buch liest
  kSubjectDropped,  // (die) heute das Buch liest: a relative pronoun is the subject
  kInfinitive,      // heute das Buch zu lesen
};

std::string german_clause(const Clause& clause, Order order);
/// "mach die Tür auf": the familiar imperative.
std::string german_imperative(const Clause& clause);

/// "is", "are", "was" ... for a subject. `past` chooses the past tense.
std::string_view english_be(Person person, bool past = false);

}  // namespace linformer::demo
