// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace linformer::demo {

/// The dictionary behind the demo corpus: words with the forms that German needs, and the sets that
/// keep sentences sensible (nobody eats a bicycle).

enum class Gender : std::uint8_t { kMasculine, kFeminine, kNeuter };
enum class Case : std::uint8_t { kNominative, kAccusative, kDative };
/// Agreement of a subject: I, you (always the German "du"), he/she/it, we, they.
enum class Person : std::uint8_t { kI, kYou, kHe, kWe, kThey };

/// Kinds of nouns, as bits.
enum NounKind : std::uint32_t {
  kPersonNoun = 1U << 0,
  kRelative = 1U << 1,  // persons that somebody "has": my brother
  kAnimal = 1U << 2,
  kFood = 1U << 3,
  kReading = 1U << 4,
  kThing = 1U << 5,
  kClothing = 1U << 6,
  kVehicle = 1U << 7,
  kFurniture = 1U << 8,
  kOpening = 1U << 9,
  kDevice = 1U << 10,
  kBuilding = 1U << 11,
  kMass = 1U << 12,   // coffee, water: without article
  kAdult = 1U << 13,  // persons who may be young or old
};

/// How a thing is somewhere in German: "liegt" (lies), "steht" (stands), "sitzt" (sits).
enum class Posture : std::uint8_t { kLies, kStands, kSits };

struct Noun {
  std::string_view english;
  std::string_view english_plural;  // empty: the noun has none here
  std::string_view german;
  std::string_view german_plural;
  Gender gender;
  std::uint32_t kinds;
  Posture posture = Posture::kStands;
  std::string_view german_oblique = {};  // weak nouns: accusative and dative singular
};

struct Adjective {
  std::string_view english;
  std::string_view german;        // predicate form
  std::string_view german_stem;   // before endings: "teuer" -> "teur"
  std::string_view english_more;  // comparative; empty: not compared here
  std::string_view german_more;
  std::uint32_t kinds;  // nouns it may describe
};

/// A verb. `english`: base, third person, -ing form, past. `german`: infinitive, first, second,
/// third person singular, participle, imperative ("-" = none); all without `prefix`, which
/// separates, but the participle.
struct Verb {
  std::string_view english;
  std::string_view particle;     // "turn ON the lamp"
  std::string_view preposition;  // "look FOR the key"
  std::string_view prefix;       // "EIN-schalten"
  std::string_view german;
  std::uint32_t objects = 0;  // kinds of its object; 0: it has none
  std::uint32_t places = 0;   // where it happens; see Place
  bool perfect_with_sein = false;
  bool stative = false;  // no progressive form: "she needs"
  Case object_case = Case::kAccusative;
  std::string_view german_preposition = {};  // "AUF den Bus warten"
  std::string_view german_past =
      {};  // Präteritum (four forms: ich/er, du, wir/sie) where Perfekt is unusual
};

/// Sets of places, as bits.
enum PlaceKind : std::uint32_t {
  kIndoors = 1U << 0,    // kitchen, home
  kLeisure = 1U << 1,    // cinema, museum
  kWorkPlace = 1U << 2,  // office, school
  kTransit = 1U << 3,    // station, airport
  kShopPlace = 1U << 4,  // market, city
  kCity = 1U << 5,       // Berlin, ...
  kPark = 1U << 6,
  kGarden = 1U << 7,
  kOutdoors = kPark | kGarden,
  kAnyPlace = (1U << 8) - 1,
};

struct Place {
  std::string_view english_at, english_to;
  std::string_view german_at, german_to;
  std::uint32_t kind;
};

/// "can" and its kin. `english`: present of I, of he, negated of I, negated of he; `german`: ich,
/// du, er, wir forms.
struct Modal {
  std::string_view english_i, english_he;
  std::string_view negated_i, negated_he;
  std::string_view question_do;    // "do" when questions need it: "do you WANT TO come"
  std::string_view question_rest;  // and what follows the subject
  std::string_view german;
  std::string_view english_past, german_past;  // empty: not used in the past
};

/// A word and its translation.
struct WordPair {
  std::string_view english;
  std::string_view german;
};

std::span<const Noun> nouns();
std::span<const Adjective> adjectives();
std::span<const Verb> verbs();
std::span<const Place> places();
std::span<const Modal> modals();
/// Prepositions of place that take the dative for "where" and the accusative for "where to".
std::span<const WordPair> two_way_prepositions();
std::span<const std::string_view> first_names();

/// The verb with that German infinitive ("einschalten"), the noun or adjective with that English
/// base form. Throw InternalError when there is none.
const Verb& verb_named(std::string_view infinitive);
const Noun& noun_named(std::string_view english);
const Adjective& adjective_named(std::string_view english);

/// The `index`-th word of words separated by spaces. Throws InternalError when there are fewer.
std::string_view word_at(std::string_view words, std::size_t index);

}  // namespace linformer::demo
