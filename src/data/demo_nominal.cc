// SPDX-License-Identifier: Apache-2.0
#include "data/demo_nominal.h"

#include <array>

#include "base/check.h"

namespace linformer::demo {
namespace {

std::size_t index_of(Person person) { return static_cast<std::size_t>(person); }
std::size_t index_of(Case grammatical_case) { return static_cast<std::size_t>(grammatical_case); }

/// Row of an ending table: masculine, feminine, neuter, plural.
std::size_t ending_row(const Nominal& nominal) {
  return nominal.plural ? 3 : static_cast<std::size_t>(nominal.noun->gender);
}

using EndingTable = std::array<std::array<std::string_view, 3>, 4>;  // [row][case]

constexpr EndingTable kTheForms = {
    {{"der", "den", "dem"}, {"die", "die", "der"}, {"das", "das", "dem"}, {"die", "die", "den"}}};
constexpr EndingTable kStrongEndings = {
    {{"er", "en", "em"}, {"e", "e", "er"}, {"es", "es", "em"}, {"e", "e", "en"}}};
constexpr EndingTable kEinEndings = {
    {{"", "en", "em"}, {"e", "e", "er"}, {"", "", "em"}, {"e", "e", "en"}}};
constexpr EndingTable kAdjectiveAfterDer = {
    {{"e", "en", "en"}, {"e", "e", "en"}, {"e", "e", "en"}, {"en", "en", "en"}}};
constexpr EndingTable kAdjectiveAfterEin = {
    {{"er", "en", "en"}, {"e", "e", "en"}, {"es", "es", "en"}, {"en", "en", "en"}}};

/// Stem of the words that decline like "ein"; empty for the others.
std::string_view ein_word(Determiner determiner) {
  switch (determiner) {
    case Determiner::kA:
      return "ein";
    case Determiner::kNo:
      return "kein";
    case Determiner::kMy:
      return "mein";
    case Determiner::kYour:
      return "dein";
    case Determiner::kHis:
      return "sein";
    case Determiner::kHer:
    case Determiner::kTheir:
      return "ihr";
    case Determiner::kOur:
      return "unser";
    default:
      return {};
  }
}

bool has_no_article(const Nominal& nominal) {
  return nominal.determiner == Determiner::kNone ||
         (nominal.determiner == Determiner::kA && nominal.plural);
}

std::string german_determiner(const Nominal& nominal, Case grammatical_case) {
  if (has_no_article(nominal)) return {};
  const std::size_t row = ending_row(nominal);
  const std::size_t column = index_of(grammatical_case);
  if (nominal.determiner == Determiner::kThe) return std::string(kTheForms[row][column]);
  if (nominal.determiner == Determiner::kThis || nominal.determiner == Determiner::kWhich) {
    std::string stem = nominal.determiner == Determiner::kThis ? "dies" : "welch";
    return stem.append(kStrongEndings[row][column]);
  }
  std::string form(ein_word(nominal.determiner));
  const std::string_view ending = kEinEndings[row][column];
  // "unser" keeps its e in this corpus: unsere, unseren.
  return form.append(ending);
}

std::string_view adjective_ending(const Nominal& nominal, Case grammatical_case) {
  const std::size_t row = ending_row(nominal);
  const std::size_t column = index_of(grammatical_case);
  if (has_no_article(nominal)) return kStrongEndings[row][column];
  return ein_word(nominal.determiner).empty() ? kAdjectiveAfterDer[row][column]
                                              : kAdjectiveAfterEin[row][column];
}

std::string german_noun(const Nominal& nominal, Case grammatical_case) {
  const Noun& noun = *nominal.noun;
  if (!nominal.plural) {
    const bool weak = !noun.german_oblique.empty() && grammatical_case != Case::kNominative;
    return std::string(weak ? noun.german_oblique : noun.german);
  }
  std::string form(noun.german_plural);
  if (grammatical_case == Case::kDative && !form.ends_with('n') && !form.ends_with('s'))
    form += 'n';
  return form;
}

std::string_view english_determiner(const Nominal& nominal, std::string_view next_word) {
  switch (nominal.determiner) {
    case Determiner::kNone:
      return {};
    case Determiner::kThe:
      return "the";
    case Determiner::kA:
      if (nominal.plural) return {};
      return std::string_view("aeiou").find(next_word.front()) == std::string_view::npos ? "a"
                                                                                         : "an";
    case Determiner::kNo:
      return "no";
    case Determiner::kThis:
      return nominal.plural ? "these" : "this";
    case Determiner::kWhich:
      return "which";
    case Determiner::kMy:
      return "my";
    case Determiner::kYour:
      return "your";
    case Determiner::kHis:
      return "his";
    case Determiner::kHer:
      return "her";
    case Determiner::kOur:
      return "our";
    case Determiner::kTheir:
      return "their";
  }
  return {};
}

std::string_view german_pronoun(const Nominal& nominal, Case grammatical_case) {
  static constexpr std::array<std::string_view, 5> kForms = {
      "ich mich mir", "du dich dir", "er ihn ihm", "wir uns uns", "sie sie ihnen"};
  std::string_view forms = kForms[index_of(nominal.pronoun)];
  if (nominal.pronoun == Person::kHe && nominal.pronoun_gender == Gender::kFeminine)
    forms = "sie sie ihr";
  if (nominal.pronoun == Person::kHe && nominal.pronoun_gender == Gender::kNeuter)
    forms = "es es ihm";
  return word_at(forms, index_of(grammatical_case));
}

std::string_view english_pronoun(const Nominal& nominal, bool is_object) {
  static constexpr std::array<std::string_view, 5> kForms = {"I me", "you you", "he him", "we us",
                                                             "they them"};
  std::string_view forms = kForms[index_of(nominal.pronoun)];
  if (nominal.pronoun == Person::kHe && nominal.pronoun_gender == Gender::kFeminine)
    forms = "she her";
  if (nominal.pronoun == Person::kHe && nominal.pronoun_gender == Gender::kNeuter) forms = "it it";
  return word_at(forms, is_object ? 1 : 0);
}

}  // namespace

std::string join(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (word.empty()) continue;
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

std::string capitalized(std::string text) {
  if (text.starts_with("ä")) return text.replace(0, 2, "Ä");
  if (text.starts_with("ö")) return text.replace(0, 2, "Ö");
  if (text.starts_with("ü")) return text.replace(0, 2, "Ü");
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text;
}

bool Nominal::definite() const {
  return kind != Kind::kNoun || (determiner != Determiner::kA && determiner != Determiner::kNo &&
                                 determiner != Determiner::kNone);
}

Person Nominal::person() const {
  if (kind == Kind::kPronoun) return pronoun;
  return plural ? Person::kThey : Person::kHe;
}

std::string Nominal::english(bool is_object) const {
  if (kind == Kind::kPronoun) return std::string(english_pronoun(*this, is_object));
  if (kind == Kind::kName) return std::string(name);
  LF_CHECK(kind == Kind::kNoun, "");
  const std::string_view description =
      adjective == nullptr ? std::string_view() : adjective->english;
  const std::string words =
      join({number.english, description, plural ? noun->english_plural : noun->english});
  return join({english_determiner(*this, words), words});
}

std::string Nominal::german(Case grammatical_case) const {
  if (kind == Kind::kPronoun) return std::string(german_pronoun(*this, grammatical_case));
  if (kind == Kind::kName) return std::string(name);
  LF_CHECK(kind == Kind::kNoun, "");
  std::string description;
  if (adjective != nullptr) {
    description =
        std::string(adjective->german_stem).append(adjective_ending(*this, grammatical_case));
  }
  return join({german_determiner(*this, grammatical_case), number.german, description,
               german_noun(*this, grammatical_case)});
}

Nominal pronoun(Person person, Gender gender) {
  return {.kind = Nominal::Kind::kPronoun, .pronoun = person, .pronoun_gender = gender};
}

Nominal named_person(std::string_view name) { return {.kind = Nominal::Kind::kName, .name = name}; }

Nominal noun_phrase(const Noun& noun, Determiner determiner, bool plural,
                    const Adjective* adjective) {
  return {.kind = Nominal::Kind::kNoun,
          .noun = &noun,
          .determiner = determiner,
          .adjective = adjective,
          .plural = plural};
}

std::string german_prepositional(std::string_view preposition, const Nominal& nominal,
                                 Case grammatical_case) {
  struct Contraction {
    std::string_view preposition, article, joined;
  };
  static constexpr auto kContractions = std::to_array<Contraction>({{"in", "dem", "im"},
                                                                    {"in", "das", "ins"},
                                                                    {"an", "dem", "am"},
                                                                    {"an", "das", "ans"},
                                                                    {"zu", "dem", "zum"},
                                                                    {"zu", "der", "zur"},
                                                                    {"von", "dem", "vom"},
                                                                    {"bei", "dem", "beim"}});
  const std::string words = nominal.german(grammatical_case);
  if (nominal.kind == Nominal::Kind::kNoun && nominal.determiner == Determiner::kThe) {
    for (const Contraction& entry : kContractions) {
      if (entry.preposition == preposition && word_at(words, 0) == entry.article) {
        return std::string(entry.joined).append(words.substr(entry.article.size()));
      }
    }
  }
  return join({preposition, words});
}

std::string_view relative_pronoun(const Nominal& nominal, Case grammatical_case) {
  // Dative plural would be "denen"; the corpus has no such clause.
  return kTheForms[ending_row(nominal)][index_of(grammatical_case)];
}

}  // namespace linformer::demo
