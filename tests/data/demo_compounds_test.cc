// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "data/demo_spot.h"

namespace linformer::demo {
namespace {

class DemoCompounds : public SpotSentences {
 protected:
  DemoCompounds() : SpotSentences(compound_templates()) {}
};

TEST_F(DemoCompounds, EveryPatternSaysWhatItShould) {
  expect("in order to", "She is driving to the station to pick me up.",
         "Sie fährt zum Bahnhof, um mich abzuholen.");
  expect("in order to", "Anna is flying to Hamburg to visit the student.",
         "Anna fliegt nach Hamburg, um den Studenten zu besuchen.");
  expect("try to", "It is not easy to turn off the computer.",
         "Es ist nicht leicht, den Computer auszuschalten.");
  expect("try to", "They forgot to go to the kitchen.",
         "Sie haben vergessen, in die Küche zu gehen.");
  expect("relative subject", "The girl who is picking up the boy is my daughter.",
         "Das Mädchen, das den Jungen abholt, ist meine Tochter.");
  expect("relative subject", "The teacher who is getting up is my friend.",
         "Der Lehrer, der aufsteht, ist mein Freund.");
  expect("relative object", "The letter that Maria read is very good.",
         "Der Brief, den Maria gelesen hat, ist sehr gut.");
  expect("relative object", "The book that Maria is reading is good.",
         "Das Buch, das Maria liest, ist gut.");
  expect("comparison", "My neighbour is younger than the teacher.",
         "Mein Nachbar ist jünger als der Lehrer.");
  expect("comparison", "The book is not as good as this newspaper.",
         "Das Buch ist nicht so gut wie diese Zeitung.");
  expect("coordination", "She was tired, but she wanted to go to the garden.",
         "Sie war müde, aber sie wollte in den Garten gehen.");
  expect_all_spotted();
}

}  // namespace
}  // namespace linformer::demo
