// SPDX-License-Identifier: Apache-2.0
#include "report/pdf.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "linformer/error.h"
#include "report/plot.h"
#include "support/environment.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

Document example() {
  Plot plot{"n", "ms", true};
  plot.lines.push_back({"line", {{256, 1, 1, 1}, {512, 2, 2, 2}}});
  Table table{"Cap", {{"name", false}, {"value"}}, {{"#a $x$ *b*", "1.5"}}, {"note"}};
  return {"Title",
          "sub",
          {{"First", {Paragraph{"p"}, std::move(table), Figure{"Fig", plot}}},
           {"Second", {Bullets{{"item"}}, Examples{{{{"source", "Grüße"}, {"reference", "r"}}}}}}}};
}

TEST(Pdf, TheJsonHoldsEveryBlock) {
  const auto json = nlohmann::json::parse(typst_json(example()));
  EXPECT_EQ(json.at("title"), "Title");
  const auto& blocks = json.at("sections").at(0).at("blocks");
  EXPECT_EQ(blocks.at(1).at("rows").at(0).at(0), "#a $x$ *b*");
  EXPECT_EQ(blocks.at(1).at("columns").at(0).at("number"), false);
  EXPECT_EQ(blocks.at(2).at("file"), "figure-1.svg");
  EXPECT_EQ(json.at("sections").at(1).at("blocks").at(1).at("items").at(0).at(0).at("text"),
            "Grüße");
}

TEST(Pdf, TheSameDocumentGivesTheSameBytes) {
  const auto make = [] {
    const TempDirectory directory;
    draw_figures(example(), directory.path());
    return pdf_of(example(), directory.path());
  };
  const std::string pdf = make();
  EXPECT_TRUE(pdf.starts_with("%PDF-"));
  EXPECT_EQ(pdf, make());
}

TEST(Pdf, APythonWithoutTypstIsNamedWithTheFix) {
  const TempDirectory directory;
  const std::string fake = directory.write("python", "#!/bin/sh\nexit 1\n");
  std::filesystem::permissions(fake, std::filesystem::perms::owner_all);
  {
    const EnvironmentVariable variable("LINFORMER_PYTHON", fake);
    const std::string text = error_text<UserError>([&] { pdf_of(example(), directory.path()); });
    EXPECT_TRUE(text.starts_with(fake + ": has no package typst; ")) << text;
    EXPECT_NE(text.find("or write .html"), std::string::npos);
  }
  const EnvironmentVariable variable("LINFORMER_PYTHON", directory.file("none"));
  EXPECT_NE(error_text<UserError>([&] {
              pdf_of(example(), directory.path());
            }).find(directory.file("none") + ": cannot start"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
