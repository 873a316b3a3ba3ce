// SPDX-License-Identifier: Apache-2.0
#include "data/demo_tasks.h"

#include <gtest/gtest.h>

#include "linformer/error.h"

namespace linformer::demo {
namespace {

const Nominal kHe = pronoun(Person::kHe);

TEST(DemoTasks, ModalsAreFoundByName) {
  EXPECT_EQ(word_at(modal_named("have to").german, 2), "muss");
  EXPECT_THROW(modal_named("dare"), InternalError);
}

TEST(DemoTasks, SubordinateClausesEndWithTheVerbAfterAComma) {
  const Phrase main = main_clause(staying_home(kHe, Tense::kPast));
  EXPECT_EQ(main.german, "er ist zu Hause geblieben");
  const Phrase reason = subordinate("because", "weil", being(kHe, {"ill", "krank"}, Tense::kPast));
  EXPECT_EQ(reason.english, "because he was ill");
  const Phrase whole = main_then(main, reason);
  EXPECT_EQ(whole.english, "he stayed at home because he was ill.");
  EXPECT_EQ(whole.german, "er ist zu Hause geblieben, weil er krank war.");
}

TEST(DemoTasks, HavingAndLackingHaveNoArticle) {
  EXPECT_EQ(main_clause(having(kHe, {"time", "Zeit"})).german, "er hat Zeit");
  Chooser chooser(1);
  EXPECT_EQ(main_clause(lack(chooser, kHe, Tense::kPast)).german.substr(0, 13), "er hatte kein");
}

TEST(DemoTasks, TasksAreDoneOnPurpose) {
  Chooser chooser(2);
  for (int draw = 0; draw < 2000; ++draw) {
    const Clause clause = task(chooser, kHe);
    EXPECT_FALSE(clause.verb->stative);
    EXPECT_NE(clause.verb, &verb_named("bleiben"));
    EXPECT_NE(chore(chooser, kHe).verb, &verb_named("essen"));
  }
}

TEST(DemoTasks, ErrandsSuitThePlace) {
  Chooser chooser(3);
  for (int draw = 0; draw < 500; ++draw) {
    const std::uint32_t kind = errand_place(chooser);
    const Clause way = trip(chooser, kHe, Tense::kPresent, kind);
    const Clause aim = errand(chooser, kHe, kind);
    EXPECT_EQ(aim.verb == &verb_named("kaufen"), kind == kShopPlace);
    EXPECT_EQ(way.direction.german.starts_with("nach "), kind == kCity);
  }
}

}  // namespace
}  // namespace linformer::demo
