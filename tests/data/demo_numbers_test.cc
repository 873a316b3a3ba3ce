// SPDX-License-Identifier: Apache-2.0
#include "data/demo_numbers.h"

#include <gtest/gtest.h>

#include <set>

#include "linformer/error.h"

namespace linformer::demo {
namespace {

TEST(DemoNumbers, GermanPutsTheUnitFirst) {
  EXPECT_EQ(number_word(21).english, "twenty-one");
  EXPECT_EQ(number_word(21).german, "einundzwanzig");
  EXPECT_EQ(number_word(38).german, "achtunddreißig");
  EXPECT_EQ(number_word(77).german, "siebenundsiebzig");
  EXPECT_EQ(number_word(96).english, "ninety-six");
}

TEST(DemoNumbers, IrregularNumbersAreRight) {
  EXPECT_EQ(number_word(1).german, "eins");
  EXPECT_EQ(number_word(16).german, "sechzehn");
  EXPECT_EQ(number_word(17).german, "siebzehn");
  EXPECT_EQ(number_word(30).german, "dreißig");
  EXPECT_EQ(number_word(60).german, "sechzig");
  EXPECT_EQ(number_word(70).german, "siebzig");
  EXPECT_EQ(number_word(12).english, "twelve");
  EXPECT_EQ(number_word(40).english, "forty");
}

TEST(DemoNumbers, AHundredNumbersHaveAHundredNames) {
  std::set<std::string> english;
  std::set<std::string> german;
  for (int number = 0; number < 100; ++number) {
    english.insert(number_word(number).english);
    german.insert(number_word(number).german);
  }
  EXPECT_EQ(english.size(), 100U);
  EXPECT_EQ(german.size(), 100U);
  EXPECT_THROW(number_word(100), InternalError);
}

TEST(DemoNumbers, HalfPastNamesTheNextHour) {
  EXPECT_EQ(clock_time(3, 30).english, "half past three");
  EXPECT_EQ(clock_time(3, 30).german, "halb vier");
  EXPECT_EQ(clock_time(12, 30).german, "halb eins");
}

TEST(DemoNumbers, QuartersAndMinutesStandBeforeOrAfterTheHour) {
  EXPECT_EQ(clock_time(4, 45).english, "quarter to five");
  EXPECT_EQ(clock_time(4, 45).german, "Viertel vor fünf");
  EXPECT_EQ(clock_time(6, 15).german, "Viertel nach sechs");
  EXPECT_EQ(clock_time(7, 20).english, "twenty past seven");
  EXPECT_EQ(clock_time(7, 20).german, "zwanzig nach sieben");
  EXPECT_EQ(clock_time(12, 50).english, "ten to one");
  EXPECT_EQ(clock_time(12, 50).german, "zehn vor eins");
}

TEST(DemoNumbers, FullHoursCountUhr) {
  EXPECT_EQ(clock_time(1, 0).german, "ein Uhr");
  EXPECT_EQ(clock_time(11, 0).english, "eleven o'clock");
  EXPECT_EQ(clock_time(11, 0).german, "elf Uhr");
}

TEST(DemoNumbers, DigitalTimesHaveTwoDigits) {
  EXPECT_EQ(digital_time(7, 5).english, "07:05");
  EXPECT_EQ(digital_time(14, 35).german, "14:35 Uhr");
}

TEST(DemoNumbers, DaysAreOrdinals) {
  EXPECT_EQ(day_of_month(3, 5).english, "the 3rd of May");
  EXPECT_EQ(day_of_month(3, 5).german, "3. Mai");
  EXPECT_EQ(day_of_month(11, 1).english, "the 11th of January");
  EXPECT_EQ(day_of_month(12, 3).german, "12. März");
  EXPECT_EQ(day_of_month(21, 10).english, "the 21st of October");
  EXPECT_EQ(day_of_month(22, 12).english, "the 22nd of December");
}

TEST(DemoNumbers, GermanPricesHaveACommaAndNoPlural) {
  EXPECT_EQ(price(12, 50).english, "12.50 euros");
  EXPECT_EQ(price(12, 50).german, "12,50 Euro");
  EXPECT_EQ(price(30, 0).english, "30 euros");
  EXPECT_EQ(price(30, 0).german, "30 Euro");
}

TEST(DemoNumbers, TheCalendarIsComplete) {
  EXPECT_EQ(weekdays().size(), 7U);
  EXPECT_EQ(months().size(), 12U);
  EXPECT_EQ(months()[2].german, "März");
}

}  // namespace
}  // namespace linformer::demo
