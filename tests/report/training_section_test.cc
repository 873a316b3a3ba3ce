// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "report/sections.h"
#include "support/report_inputs.h"

namespace linformer {
namespace {

using Row = std::vector<std::string>;

RunInput example_run() {
  RunInput run;
  run.name = "demo";
  ModelConfig model;
  model.type = ModelType::kLinformer;
  model.projected_length = 4;
  model.projection = Projection::kSegment;
  model.model_dim = 64;
  model.ffn_dim = 128;
  model.num_heads = 2;
  model.num_layers = 3;
  run.model = model;
  run.parameters = 123456;
  run.steps = {{10, 5.5, 900.0, 5000000}, {20, 4.5, 1100.4, 7500000}, {30, 3.5, 1000.0, 6000000}};
  run.validations = {{10, 5.25, 1.5}, {30, 4.25, std::nullopt}};
  run.last_step = 30;
  run.tokens = 4321;
  run.seconds = 12.34;
  run.best_metric = "loss";
  run.best_value = 4.25;
  run.best_step = 30;
  return run;
}

TEST(TrainingSection, ARowSaysWhatTheRunWas) {
  ReportInputs inputs;
  inputs.runs.push_back(example_run());
  EXPECT_EQ(tables_of(training_section(inputs)).at(0).rows.at(0),
            (Row{"demo", "Linformer k=4 segment", "64 / 128 / 2 / 3", "123456", "30", "12.3",
                 "4321", "1000", "7.5", "loss 4.2500 at 30"}));
  inputs.runs[0].model->cross_attention = CrossAttention::kFull;
  EXPECT_EQ(tables_of(training_section(inputs)).at(0).rows.at(0).at(1),
            "Linformer k=4 segment, full cross-attention");
}

TEST(TrainingSection, ARunThatLacksEverythingHasDashes) {
  ReportInputs inputs;
  inputs.runs.resize(1);
  inputs.runs[0].name = "bare";
  const Section section = training_section(inputs);
  EXPECT_EQ(tables_of(section).at(0).rows.at(0),
            (Row{"bare", "-", "-", "-", "-", "-", "-", "-", "-", "-"}));
  EXPECT_TRUE(figures_of(section).empty());
  EXPECT_TRUE(training_section({}).blocks.empty());
}

TEST(TrainingSection, CurvesHoldTheRecordedPointsThatAreFinite) {
  ReportInputs inputs;
  inputs.runs.push_back(example_run());
  inputs.runs[0].steps[1].loss = std::numeric_limits<double>::quiet_NaN();
  inputs.runs.push_back(example_run());
  inputs.runs[1].validations.clear();
  const std::vector<Figure> figures = figures_of(training_section(inputs));
  ASSERT_EQ(figures.size(), 3U);
  ASSERT_EQ(figures[0].plot.lines.size(), 2U);
  ASSERT_EQ(figures[0].plot.lines[0].points.size(), 2U);
  EXPECT_EQ(figures[0].plot.lines[0].points[1].x, 30.0);
  EXPECT_EQ(figures[0].plot.lines[0].points[1].y, 3.5);
  EXPECT_EQ(figures[1].plot.lines.size(), 1U);
  ASSERT_EQ(figures[2].plot.lines.size(), 1U);
  EXPECT_EQ(figures[2].plot.lines[0].points.at(0).y, 1.5);
}

}  // namespace
}  // namespace linformer
