// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "data/demo_lexicon.h"

namespace linformer::demo {

/// One thing said in both languages: a phrase, or a sentence without its final capital and full
/// stop.
struct Phrase {
  std::string english;
  std::string german;

  bool empty() const { return german.empty(); }
};

enum class Determiner : std::uint8_t {
  kNone,
  kThe,
  kA,
  kNo,
  kThis,
  kWhich,
  kMy,
  kYour,
  kHis,
  kHer,
  kOur,
  kTheir
};

/// Who or what: a pronoun, a first name, or a noun with what stands before it.
struct Nominal {
  enum class Kind : std::uint8_t { kNothing, kPronoun, kName, kNoun };

  Kind kind = Kind::kNothing;
  Person pronoun = Person::kHe;
  Gender pronoun_gender = Gender::kMasculine;  // of kHe: he, she
  std::string_view name;
  const Noun* noun = nullptr;
  Determiner determiner = Determiner::kThe;
  const Adjective* adjective = nullptr;
  bool plural = false;
  Phrase number;  // "two", "zwei"; only with a plural

  bool present() const { return kind != Kind::kNothing; }
  bool is_pronoun() const { return kind == Kind::kPronoun; }
  /// True when German puts it before adjuncts: names and nouns with the, this or a possessive.
  bool definite() const;
  Person person() const;
  /// "he" as a subject, "him" as an object.
  std::string english(bool is_object) const;
  std::string german(Case grammatical_case) const;
};

Nominal pronoun(Person person, Gender gender = Gender::kMasculine);
Nominal named_person(std::string_view name);
Nominal noun_phrase(const Noun& noun, Determiner determiner, bool plural = false,
                    const Adjective* adjective = nullptr);

/// A preposition before a nominal, joined as German does: "in dem" is "im", "zu der" is "zur".
std::string german_prepositional(std::string_view preposition, const Nominal& nominal,
                                 Case grammatical_case);

/// Relative pronoun of a noun phrase: "der", "die", "das", "den" ...
std::string_view relative_pronoun(const Nominal& nominal, Case grammatical_case);

/// Words joined by single spaces, empty ones left out.
std::string join(std::initializer_list<std::string_view> words);

/// `text` with its first letter as a capital (ASCII and ä, ö, ü).
std::string capitalized(std::string text);

}  // namespace linformer::demo
