// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "data/demo_spot.h"

namespace linformer::demo {
namespace {

class DemoSubordinates : public SpotSentences {
 protected:
  DemoSubordinates() : SpotSentences(subordinate_templates()) {}
};

TEST_F(DemoSubordinates, EveryPatternSaysWhatItShould) {
  expect("because", "They stayed at home because they were tired.",
         "Sie sind zu Hause geblieben, weil sie müde waren.");
  expect("because", "Paul is staying at home because he has no money.",
         "Paul bleibt zu Hause, weil er kein Geld hat.");
  expect("because", "I stayed at home because it was raining.",
         "Ich bin zu Hause geblieben, weil es geregnet hat.");
  expect("that", "He says that Peter is working.", "Er sagt, dass Peter arbeitet.");
  expect("that",
         "Peter says that the teacher will repair the car on Sunday at quarter past eleven.",
         "Peter sagt, dass der Lehrer am Sonntag um Viertel nach elf das Auto reparieren wird.");
  expect("whether", "Do you know whether Anna will get up?", "Weißt du, ob Anna aufstehen wird?");
  expect("whether", "The doctor does not know whether he is flying to Berlin.",
         "Der Arzt weiß nicht, ob er nach Berlin fliegt.");
  expect("if", "If they are ill, they have to call the doctor.",
         "Wenn sie krank sind, müssen sie den Arzt anrufen.");
  expect("if", "He should stay at home if he is tired.",
         "Er sollte zu Hause bleiben, wenn er müde ist.");
  expect("although", "Although he is ill, he is going to the cinema.",
         "Obwohl er krank ist, geht er ins Kino.");
  expect("although", "They have to fly to Berlin although they are ill.",
         "Sie müssen nach Berlin fliegen, obwohl sie krank sind.");
  expect("before", "He wants to put on the coat before he goes to the park.",
         "Er will den Mantel anziehen, bevor er in den Park geht.");
  expect_all_spotted();
}

}  // namespace
}  // namespace linformer::demo
