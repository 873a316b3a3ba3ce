// SPDX-License-Identifier: Apache-2.0
#include "report/plot.h"

#include <gtest/gtest.h>

#include "support/temp_directory.h"

namespace linformer {
namespace {

Plot example() {
  Plot plot{"n", "it's ms", true, true, true};
  plot.lines.push_back({"a'; !echo 'x\n`id`", {{256, 1.5, 1.25, 1.75}, {512, 3.5, 3.25, 3.75}}});
  return plot;
}

TEST(Plot, TicksAreOneTwoFive) {
  EXPECT_EQ(log_ticks(1.5, 40), (std::vector<double>{1, 2, 5, 10, 20, 50}));
  EXPECT_EQ(log_ticks(0.03, 0.04), (std::vector<double>{0.02, 0.05}));
  EXPECT_EQ(log_ticks(10, 10), std::vector<double>{10});
  EXPECT_EQ(log_ticks(1, 1e6), (std::vector<double>{1, 10, 100, 1000, 1e4, 1e5, 1e6}));
}

TEST(Plot, ATitleStaysInItsQuotes) {
  const std::string script = gnuplot_script(example(), "o.svg");
  EXPECT_NE(script.find("title 'a''; !echo ''x `id`'"), std::string::npos) << script;
  EXPECT_NE(script.find("set ylabel 'it''s ms'"), std::string::npos);
}

TEST(Plot, DataAndAxesAreInTheScript) {
  const std::string script = gnuplot_script(example(), "o.svg");
  EXPECT_NE(script.find("256 1.5 1.25 1.75\n512 3.5 3.25 3.75\nEND"), std::string::npos) << script;
  EXPECT_NE(script.find("set logscale xy"), std::string::npos);
  EXPECT_NE(script.find("yerrorlines"), std::string::npos);
  Plot linear = example();
  linear.is_log = linear.has_spread = false;
  EXPECT_EQ(gnuplot_script(linear, "o.svg").find("logscale"), std::string::npos);
  EXPECT_EQ(gnuplot_script(linear, "o.svg").find("yerrorlines"), std::string::npos);
}

TEST(Plot, GnuplotDrawsEveryFigure) {
  const TempDirectory directory;
  Document document;
  document.sections.push_back(
      {"s", {Figure{"one", example()}, Paragraph{"x"}, Figure{"two", example()}}});
  const std::vector<std::string> files = draw_figures(document, directory.path());
  ASSERT_EQ(files.size(), 2U);
  for (const std::string& file : files) {
    const std::string svg = slurp(file);
    EXPECT_NE(svg.find("<svg"), std::string::npos);
    EXPECT_NE(svg.find("</svg>"), std::string::npos);
    EXPECT_NE(svg.find("it's ms"), std::string::npos) << svg;
  }
}

}  // namespace
}  // namespace linformer
