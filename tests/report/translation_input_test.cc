// SPDX-License-Identifier: Apache-2.0
#include "report/translation_input.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

TEST(TranslationInput, ColumnsAreFoundByName) {
  const TempDirectory directory;
  const std::string text = "reference,x,candidate\n\"r,1\",0,c1\nr2,0,c2\n";
  EXPECT_TRUE(is_translation_text(text));
  ReportInputs inputs;
  read_translations(directory.write("sys_out.csv", text), text, inputs);
  ASSERT_EQ(inputs.translations.size(), 1U);
  const TranslationInput& table = inputs.translations[0];
  EXPECT_EQ(table.system, "sys_out");
  EXPECT_FALSE(table.is_original);
  EXPECT_TRUE(table.sources.empty());
  EXPECT_EQ(table.candidates, (std::vector<std::string>{"c1", "c2"}));
  EXPECT_EQ(table.references, (std::vector<std::string>{"r,1", "r2"}));
}

TEST(TranslationInput, OtherHeadersAreNone) {
  EXPECT_TRUE(is_translation_text("\"input\",\"candidate\",\"reference\"\r\n"));
  EXPECT_FALSE(is_translation_text("input,candidates,reference\n"));
  EXPECT_FALSE(is_translation_text(""));
}

TEST(TranslationInput, TablesOfTheSameReferencesHaveOneTestSet) {
  ReportInputs inputs;
  inputs.translations = {{"a", "", false, {}, {"x"}, {"r"}},
                         {"b", "", false, {}, {"y"}, {"r"}},
                         {"c", "", false, {}, {"z"}, {"other"}}};
  name_test_sets(inputs);
  EXPECT_EQ(inputs.translations[0].test_set, "that of a");
  EXPECT_EQ(inputs.translations[1].test_set, "that of a");
  EXPECT_EQ(inputs.translations[2].test_set, "that of c");
}

TEST(TranslationInput, AnEvaluationOfTheSameSentencesNamesTheTestSet) {
  ReportInputs inputs;
  inputs.translations = {{"a", "", false, {}, {"x", "y"}, {"r", "s"}}};
  EvaluationRecord record;
  record.test_set = "news";
  record.sentences = 2;
  record.tokenize = "none";
  record.examples = {{1, "src", "s", "cand"}};
  inputs.evaluations.push_back({"run", record});
  ReportInputs other = inputs;
  name_test_sets(inputs);
  EXPECT_EQ(inputs.translations[0].test_set, "news");
  EXPECT_EQ(inputs.translations[0].tokenize, BleuTokenize::kNone);
  other.evaluations[0].record.examples[0].reference = "t";
  name_test_sets(other);
  EXPECT_EQ(other.translations[0].test_set, "that of a");
}

TEST(TranslationInput, TheTableOfAnEvaluationIsItsSystems) {
  ReportInputs inputs;
  inputs.translations = {{"out", "", false, {}, {"x", "y"}, {"r", "s"}},
                         {"other", "", false, {}, {"x", "z"}, {"r", "s"}}};
  EvaluationRecord record;
  record.test_set = "news";
  record.sentences = 2;
  record.examples = {{1, "src", "s", "y"}};
  inputs.evaluations.push_back({"run", record});
  name_test_sets(inputs);
  EXPECT_EQ(inputs.translations[0].system, "run");
  EXPECT_TRUE(inputs.translations[0].is_evaluated);
  EXPECT_EQ(inputs.translations[1].system, "other");
  EXPECT_FALSE(inputs.translations[1].is_evaluated);
  EXPECT_EQ(inputs.translations[1].test_set, "news");
}

}  // namespace
}  // namespace linformer
