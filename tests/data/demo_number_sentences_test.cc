// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "data/demo_spot.h"

namespace linformer::demo {
namespace {

class DemoNumberSentences : public SpotSentences {
 protected:
  DemoNumberSentences() : SpotSentences(number_templates()) {}
};

TEST_F(DemoNumberSentences, EveryPatternSaysWhatItShould) {
  expect("clock", "It is already quarter to eleven.", "Es ist schon Viertel vor elf.");
  expect("clock", "It is half past twelve.", "Es ist halb eins.");
  expect("departure", "I think that the bus from Hamburg arrives at quarter to seven.",
         "Ich glaube, dass der Bus aus Hamburg um Viertel vor sieben ankommt.");
  expect("departure", "The bus to Berlin leaves at 12:15.",
         "Der Bus nach Berlin fährt um 12:15 Uhr ab.");
  expect("cost", "How much does my expensive letter cost?", "Wie viel kostet mein teurer Brief?");
  expect("cost", "Anna paid 35.50 euros for the coat.",
         "Anna hat 35,50 Euro für den Mantel bezahlt.");
  expect("born", "You were born on the 3rd of November 2017.",
         "Du wurdest am 3. November 2017 geboren.");
  expect("today", "Today is Wednesday, the 24th of September.",
         "Heute ist Mittwoch, der 24. September.");
  expect("appointment", "On the 1st of April my father is flying to Cologne.",
         "Am 1. April fliegt mein Vater nach Köln.");
  expect("age", "My neighbour is thirty-seven years old.",
         "Mein Nachbar ist siebenunddreißig Jahre alt.");
  expect("count", "There are sixty-nine computers in the office.",
         "Im Büro sind neunundsechzig Computer.");
  expect("since", "The friendly girl has lived in Vienna for fifteen years.",
         "Das freundliche Mädchen wohnt seit fünfzehn Jahren in Wien.");
  expect("sum", "Thirty-eight minus twenty-five is thirteen.",
         "Achtunddreißig minus fünfundzwanzig ist dreizehn.");
  expect("how many", "How many expensive coats are you selling?",
         "Wie viele teure Mäntel verkaufst du?");
  expect_all_spotted();
}

}  // namespace
}  // namespace linformer::demo
