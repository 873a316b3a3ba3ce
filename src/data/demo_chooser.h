// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "data/batch_sampler.h"
#include "data/demo_clause.h"

namespace linformer::demo {

/// Draws words and phrases that go together. Everything it says is a function of its seed, on every
/// machine: the generator is SplitMix64, numbers below n are taken by
/// multiply and shift.
class Chooser {
 public:
  explicit Chooser(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t count);
  std::int64_t between(std::int64_t first, std::int64_t last);
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  template <typename Range>
  const auto& one_of(const Range& range) {
    return *(std::begin(range) + static_cast<std::ptrdiff_t>(below(std::size(range))));
  }
  std::string_view one_of(std::initializer_list<std::string_view> words) {
    return *(words.begin() + static_cast<std::ptrdiff_t>(below(words.size())));
  }

  const Noun& noun(std::uint32_t kinds);
  /// A word that may describe the noun, or null when there is none.
  const Adjective* adjective(const Noun& noun);

  /// A subject: a pronoun, a name or one or several people.
  Nominal subject();
  /// A subject that one asks about: often you, not I.
  Nominal other_subject();
  /// A subject that a pronoun can take up ("he"): no neuter noun; see pronoun_for.
  Nominal human_subject();
  /// A person or people as an object of `subject`, never the same person.
  Nominal person(const Nominal& subject);
  /// A thing or an animal; its possessive mostly belongs to `subject`.
  Nominal thing(const Nominal& subject, std::uint32_t kinds, bool definite = false);
  /// "my", "his", ...: mostly the one of `subject`.
  Determiner possessive(const Nominal& subject);
  /// "coffee", "a cup of tea", "two glasses of water".
  Phrase drink();

  const Place& place(std::uint32_t kinds);
  Phrase location(std::uint32_t kinds);
  Phrase destination(std::uint32_t kinds);
  /// "with my brother", "for my brother".
  Phrase with_somebody(const Nominal& subject);
  Phrase for_somebody(const Nominal& subject);

  Phrase clock();
  Phrase weekday();
  /// Times that suit the tense; kSimple: "every day".
  Phrase time(Tense tense);
  Phrase frequency();
  const Modal& modal(bool allow_past = false);
  /// How people feel: "happy", "tired"; only "tired" and its like.
  Phrase feeling();
  Phrase discomfort();

 private:
  Determiner determiner_for(const Noun& noun, const Nominal& subject, bool definite);
  Nominal relative_or_person();

  SplitMix64 random_;
};

/// The pronoun that takes up a subject: "he", "she", "they", or itself.
Nominal pronoun_for(const Nominal& subject);

/// True when both say the same words: nobody helps himself here.
bool same_words(const Nominal& a, const Nominal& b);

}  // namespace linformer::demo
