// SPDX-License-Identifier: Apache-2.0
#include "text/clean_up.h"

#include <gtest/gtest.h>

#include "text/golden.h"

namespace linformer {
namespace {

TEST(CleanUp, TextsAreThoseOfPythonsReplace) {
  const nlohmann::json golden = read_golden("tokenizer_clean_up.json");
  ASSERT_FALSE(golden["cases"].empty());
  for (const auto& item : golden["cases"]) {
    ASSERT_EQ(clean_up_tokenization(item[0]), item[1]) << kRegenerate;
  }
}

TEST(CleanUp, ReplacementsFollowEachOtherInOrder) {
  EXPECT_EQ(clean_up_tokenization("a  . b ?"), "a . b?");
  EXPECT_EQ(clean_up_tokenization("he 's it ' s do n't"), "he's it's don't");
  EXPECT_EQ(clean_up_tokenization("I 'm you 're we 've"), "I'm you're we've");
  EXPECT_EQ(clean_up_tokenization(" ' ' "), "'' ");
  EXPECT_EQ(clean_up_tokenization(""), "");
}

}  // namespace
}  // namespace linformer
