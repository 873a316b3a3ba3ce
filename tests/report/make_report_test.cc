// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "report/sections.h"
#include "support/report_inputs.h"

namespace linformer {
namespace {

std::vector<std::string> titles_of(const Document& document) {
  std::vector<std::string> out;
  for (const Section& section : document.sections) out.push_back(section.title);
  return out;
}

TEST(MakeReport, SectionsWithoutContentAreLeftOut) {
  ReportInputs inputs;
  EXPECT_EQ(titles_of(make_report(inputs)), (std::vector<std::string>{"Summary", "References"}));
  inputs.runs.resize(1);
  inputs.scaling.push_back(example_scaling());
  EXPECT_EQ(titles_of(make_report(inputs)),
            (std::vector<std::string>{
                "Summary", "Quality", "Training", "Time and memory over the length",
                "Beside the Linformer paper", "Hardware, versions, data", "References"}));
}

TEST(MakeReport, TheSummaryNamesTheBestAndTheGrowth) {
  ReportInputs inputs;
  inputs.scaling.push_back(example_scaling());
  QualityRow worse;
  worse.system = "a";
  worse.test_set = "news";
  worse.bleu = 20;
  QualityRow best = worse;
  best.system = "b";
  best.bleu = 21.5;
  best.lower = 20.5;
  best.upper = 22.5;
  const Section section = summary_section(inputs, {worse, best});
  const auto& items = std::get<Bullets>(section.blocks.at(1)).items;
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0], "Best BLEU on news: 21.50 (95 % interval 20.50 to 22.50), b.");
  EXPECT_EQ(
      items[1],
      "example: at n = 2048 linformer k=128 unfused takes 16.0 ms a sequence, growing as n to "
      "the power 1.00; vanilla unfused 64.0 ms, to the power 2.00.");
}

TEST(MakeReport, TheWorksItRestsOnAreNamed) {
  const Section section = bibliography_section();
  const auto& works = std::get<Bullets>(section.blocks.at(0)).items;
  for (const char* name : {"Vaswani", "Linformer", "BLEU", "Post", "Koehn"}) {
    const bool is_there = std::ranges::any_of(
        works, [&](const std::string& work) { return work.find(name) != std::string::npos; });
    EXPECT_TRUE(is_there) << name;
  }
}

}  // namespace
}  // namespace linformer
