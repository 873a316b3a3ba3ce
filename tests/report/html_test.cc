// SPDX-License-Identifier: Apache-2.0
#include "report/html.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

Document example() {
  Table table{"Cap", {{"name", false}, {"value"}}, {{"<a>", "1.5"}}, {"note & more"}};
  return {"A <title>",
          "sub",
          {{"First", {Heading{"Part"}, Paragraph{"x < y & \"z\""}, std::move(table)}},
           {"Second",
            {Figure{"Fig", {}}, Bullets{{"item"}},
             Examples{{{{"source", "s"}, {"reference", "r"}}}}}}}};
}

TEST(Html, TextsAreEscaped) {
  const std::string page = html_of(example(), {"<svg/>"});
  EXPECT_NE(page.find("<p>x &lt; y &amp; &quot;z&quot;</p>"), std::string::npos);
  EXPECT_NE(page.find("<td>&lt;a&gt;</td><td class=\"number\">1.5</td>"), std::string::npos);
  EXPECT_NE(page.find("<title>A &lt;title&gt;</title>"), std::string::npos);
}

TEST(Html, HoldsEveryBlockAndCountsThem) {
  const std::string page = html_of(example(), {"<svg/>"});
  for (const char* part :
       {"<h2>1 First</h2>", "<h2>2 Second</h2>", "<caption>Table 1: Cap</caption>",
        "<figcaption>Figure 1: Fig</figcaption>", "<li>item</li>", "<h3>Part</h3>",
        "<dt>source</dt><dd>s</dd>", "<p class=\"note\">note &amp; more</p>"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
}

TEST(Html, FiguresArePartOfThePage) {
  const std::string page = html_of(example(), {"<svg a=\"#1\">%é</svg>"});
  EXPECT_NE(page.find("src=\"data:image/svg+xml,%3Csvg%20a=%22%231%22%3E%25%C3%A9%3C/svg%3E\""),
            std::string::npos)
      << page;
  EXPECT_EQ(page.find("http"), std::string::npos);
}

}  // namespace
}  // namespace linformer
