// SPDX-License-Identifier: Apache-2.0
#include "data/demo_sentences.h"

#include <gtest/gtest.h>

#include "data/demo_spot.h"

namespace linformer::demo {
namespace {

class DemoSentences : public SpotSentences {
 protected:
  DemoSentences() : SpotSentences(clause_templates()) {}
};

TEST_F(DemoSentences, EveryPatternSaysWhatItShould) {
  expect("present", "I am drinking a glass of milk tomorrow morning.",
         "Ich trinke morgen früh ein Glas Milch.");
  expect("present", "She is closing the window this evening.",
         "Sie macht heute Abend das Fenster zu.");
  expect("past", "Maria washed the shirt yesterday evening.",
         "Maria hat gestern Abend das Hemd gewaschen.");
  expect("past", "She got up on Monday at half past eight.",
         "Sie ist am Montag um halb neun aufgestanden.");
  expect("past", "The man wrote the child a letter.",
         "Der Mann hat dem Kind einen Brief geschrieben.");
  expect("habit", "Paul sometimes sleeps in the kitchen.", "Paul schläft manchmal in der Küche.");
  expect("habit", "The child turns on the radio every day.",
         "Das Kind schaltet jeden Tag das Radio ein.");
  expect("future", "He will fly to Berlin tomorrow morning.",
         "Er wird morgen früh nach Berlin fliegen.");
  expect("modal", "He wants to write me a letter.", "Er will mir einen Brief schreiben.");
  expect("modal", "She should not close the window.", "Sie sollte das Fenster nicht zumachen.");
  expect("modal", "Anna does not have to sleep.", "Anna muss nicht schlafen.");
  expect("inversion", "Yesterday evening he turned off the lamp.",
         "Gestern Abend hat er die Lampe ausgeschaltet.");
  expect("inversion", "This evening we will come back.", "Heute Abend werden wir zurückkommen.");
  expect("negation", "The teacher is not reading a newspaper.", "Der Lehrer liest keine Zeitung.");
  expect("negation", "She is not putting on the blue coat.",
         "Sie zieht den blauen Mantel nicht an.");
  expect("has none", "The friendly children have no time.",
         "Die freundlichen Kinder haben keine Zeit.");
  expect("question", "Did he open the window yesterday evening?",
         "Hat er gestern Abend das Fenster aufgemacht?");
  expect("question", "Will she write her father a letter?",
         "Wird sie ihrem Vater einen Brief schreiben?");
  expect("when or why", "Why did you turn off the green computer?",
         "Warum hast du den grünen Computer ausgeschaltet?");
  expect("where", "Where are you waiting for the doctor?", "Wo wartest du auf den Arzt?");
  expect("where", "Where are the friendly girls driving to?",
         "Wohin fahren die freundlichen Mädchen?");
  expect("what", "What do you have to look for in the office?", "Was musst du im Büro suchen?");
  expect("who", "Who is putting the small egg on the table?",
         "Wer legt das kleine Ei auf den Tisch?");
  expect("which", "Which expensive newspaper are you reading?", "Welche teure Zeitung liest du?");
  expect("which", "Which blue picture are you looking for?", "Welches blaue Bild suchst du?");
  expect("request", "Please do not close the window.", "Bitte mach das Fenster nicht zu.");
  expect("request", "Please invite her.", "Bitte lade sie ein.");
  expect("predicate", "Anna is very tired.", "Anna ist sehr müde.");
  expect("predicate", "The banana is too good.", "Die Banane ist zu gut.");
  expect("position", "The bicycle is behind the house.", "Das Fahrrad steht hinter dem Haus.");
  expect("position", "The small banana was on the table.", "Die kleine Banane lag auf dem Tisch.");
  expect("there is", "There is a letter under the bed.", "Unter dem Bett liegt ein Brief.");
  expect("there is", "There was a car in front of the door.", "Vor der Tür stand ein Auto.");
  expect_all_spotted();
}

TEST(DemoTemplates, SharesAreThousandths) {
  int total = 0;
  for (const auto& part :
       {clause_templates(), subordinate_templates(), compound_templates(), number_templates()}) {
    for (const Template& pattern : part) {
      EXPECT_GT(pattern.weight, 0) << pattern.name;
      total += pattern.weight;
    }
  }
  EXPECT_GT(total, 900);
  EXPECT_LT(total, 1500);
}

TEST(DemoTemplates, EverySentenceEndsWithOneMarkInBothLanguages) {
  for (const auto& part :
       {clause_templates(), subordinate_templates(), compound_templates(), number_templates()}) {
    for (const Template& pattern : part) {
      Chooser chooser(9);
      for (int draw = 0; draw < 300; ++draw) {
        const Phrase phrase = pattern.make(chooser);
        EXPECT_NE(std::string_view(".?!").find(phrase.english.back()), std::string_view::npos)
            << phrase.english;
        EXPECT_EQ(phrase.english.back(), phrase.german.back()) << phrase.english;
        for (const std::string_view fault : {"  ", " ,", " .", ",.", " ?", "..", ",,"}) {
          EXPECT_EQ(phrase.english.find(fault), std::string::npos) << phrase.english;
          EXPECT_EQ(phrase.german.find(fault), std::string::npos) << phrase.german;
        }
      }
    }
  }
}

}  // namespace
}  // namespace linformer::demo
