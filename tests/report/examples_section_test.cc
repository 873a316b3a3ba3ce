// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "report/sections.h"

namespace linformer {
namespace {

const Examples& examples_of(const Section& section) {
  return std::get<Examples>(section.blocks.at(1));
}

TEST(ExamplesSection, TranslationsOfOneSourceStandTogether) {
  ReportInputs inputs;
  EvaluationRecord record;
  record.test_set = "news";
  record.examples = {{0, "one", "eins", "eine"}, {1, "two", "zwei", "zwei"}};
  inputs.evaluations = {{"a", record}};
  record.examples[0].candidate = "ein";
  inputs.evaluations.push_back({"b", record});
  inputs.translations.push_back(
      {"c", "news", false, {"one", "three"}, {"EINS", "drei"}, {"eins", "drei"}});
  const Section section = examples_section(inputs);
  const Examples& examples = examples_of(section);
  ASSERT_EQ(examples.items.size(), 3U);
  EXPECT_EQ(examples.items[0], (Example{{"source, news", "one"},
                                        {"reference", "eins"},
                                        {"a", "eine"},
                                        {"b", "ein"},
                                        {"c", "EINS"}}));
  EXPECT_EQ(examples.items[2].size(), 3U);
}

TEST(ExamplesSection, TheSameTranslationOfTheSameSystemIsShownOnce) {
  ReportInputs inputs;
  EvaluationRecord record;
  record.test_set = "news";
  record.examples = {{0, "one", "eins", "eine"}};
  inputs.evaluations = {{"a", record}, {"a", record}};
  EXPECT_EQ(examples_of(examples_section(inputs)).items.at(0).size(), 3U);
}

TEST(ExamplesSection, LongTablesShowRowsAtEvenDistances) {
  ReportInputs inputs;
  TranslationInput table{"c", "news"};
  for (int i = 0; i < 80; ++i) {
    table.sources.push_back("s" + std::to_string(i));
    table.candidates.push_back("c");
    table.references.push_back("r");
  }
  inputs.translations.push_back(table);
  const Section section = examples_section(inputs);
  ASSERT_EQ(examples_of(section).items.size(), 8U);
  EXPECT_EQ(examples_of(section).items[7][0].second, "s70");
  EXPECT_TRUE(examples_section({}).blocks.empty());
}

}  // namespace
}  // namespace linformer
