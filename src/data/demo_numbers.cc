// SPDX-License-Identifier: Apache-2.0
#include "data/demo_numbers.h"

#include <array>
#include <string>

#include "base/check.h"

namespace linformer::demo {
namespace {

constexpr std::array<WordPair, 20> kSmall = {{
    {"zero", "null"},         {"one", "eins"},          {"two", "zwei"},
    {"three", "drei"},        {"four", "vier"},         {"five", "fünf"},
    {"six", "sechs"},         {"seven", "sieben"},      {"eight", "acht"},
    {"nine", "neun"},         {"ten", "zehn"},          {"eleven", "elf"},
    {"twelve", "zwölf"},      {"thirteen", "dreizehn"}, {"fourteen", "vierzehn"},
    {"fifteen", "fünfzehn"},  {"sixteen", "sechzehn"},  {"seventeen", "siebzehn"},
    {"eighteen", "achtzehn"}, {"nineteen", "neunzehn"},
}};

constexpr std::array<WordPair, 8> kTens = {{
    {"twenty", "zwanzig"},
    {"thirty", "dreißig"},
    {"forty", "vierzig"},
    {"fifty", "fünfzig"},
    {"sixty", "sechzig"},
    {"seventy", "siebzig"},
    {"eighty", "achtzig"},
    {"ninety", "neunzig"},
}};

constexpr std::array<WordPair, 7> kWeekdays = {{{"Monday", "Montag"},
                                                {"Tuesday", "Dienstag"},
                                                {"Wednesday", "Mittwoch"},
                                                {"Thursday", "Donnerstag"},
                                                {"Friday", "Freitag"},
                                                {"Saturday", "Samstag"},
                                                {"Sunday", "Sonntag"}}};

constexpr std::array<WordPair, 12> kMonths = {{{"January", "Januar"},
                                               {"February", "Februar"},
                                               {"March", "März"},
                                               {"April", "April"},
                                               {"May", "Mai"},
                                               {"June", "Juni"},
                                               {"July", "Juli"},
                                               {"August", "August"},
                                               {"September", "September"},
                                               {"October", "Oktober"},
                                               {"November", "November"},
                                               {"December", "Dezember"}}};

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

std::string_view ordinal_suffix(std::int64_t day) {
  if (day / 10 == 1) return "th";
  return day % 10 == 1 ? "st" : day % 10 == 2 ? "nd" : day % 10 == 3 ? "rd" : "th";
}

}  // namespace

std::span<const WordPair> weekdays() { return kWeekdays; }
std::span<const WordPair> months() { return kMonths; }

Phrase number_word(std::int64_t number) {
  LF_CHECK(number >= 0 && number < 100, std::to_string(number));
  const auto value = static_cast<std::size_t>(number);
  if (value < 20) return {std::string(kSmall[value].english), std::string(kSmall[value].german)};
  const WordPair& ten = kTens[value / 10 - 2];
  if (value % 10 == 0) return {std::string(ten.english), std::string(ten.german)};
  const WordPair& one = kSmall[value % 10];
  const std::string_view unit = value % 10 == 1 ? "ein" : one.german;
  return {std::string(ten.english).append("-").append(one.english),
          std::string(unit).append("und").append(ten.german)};
}

Phrase clock_time(std::int64_t hour, std::int64_t minute) {
  LF_CHECK(hour >= 1 && hour <= 12 && minute >= 0 && minute < 60 && minute % 5 == 0, "");
  const Phrase this_hour = number_word(hour);
  const Phrase next_hour = number_word(hour % 12 + 1);
  if (minute == 0) {
    return {this_hour.english + " o'clock", (hour == 1 ? "ein" : this_hour.german) + " Uhr"};
  }
  if (minute == 30) return {"half past " + this_hour.english, "halb " + next_hour.german};
  const bool before = minute > 30;
  const std::int64_t distance = before ? 60 - minute : minute;
  const Phrase minutes = distance == 15 ? Phrase{"quarter", "Viertel"} : number_word(distance);
  const Phrase& anchor = before ? next_hour : this_hour;
  return {minutes.english + (before ? " to " : " past ") + anchor.english,
          minutes.german + (before ? " vor " : " nach ") + anchor.german};
}

Phrase digital_time(std::int64_t hour, std::int64_t minute) {
  const std::string text = two_digits(hour) + ":" + two_digits(minute);
  return {text, text + " Uhr"};
}

Phrase day_of_month(std::int64_t day, std::int64_t month) {
  const WordPair& name = kMonths.at(static_cast<std::size_t>(month - 1));
  const std::string number = std::to_string(day);
  return {join({"the", number + std::string(ordinal_suffix(day)), "of", name.english}),
          join({number + ".", name.german})};
}

Phrase price(std::int64_t euros, std::int64_t cents) {
  const std::string whole = std::to_string(euros);
  if (cents == 0) return {whole + " euros", whole + " Euro"};
  return {whole + "." + two_digits(cents) + " euros", whole + "," + two_digits(cents) + " Euro"};
}

}  // namespace linformer::demo
