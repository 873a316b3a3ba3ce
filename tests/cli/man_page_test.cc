// SPDX-License-Identifier: Apache-2.0
#include "cli/man_page.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "base/exit_code.h"
#include "cli/verb_table.h"
#include "support/run_process.h"

namespace linformer {
namespace {

/// As the page spells it: every hyphen is one that can be copied into a shell.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '-' ? "\\-" : std::string(1, c);
  return out;
}

TEST(ManPage, NamesEveryVerbArgumentAndExitCode) {
  const std::string page = man_page();
  for (const Verb& verb : verb_table()) {
    const std::size_t begin = page.find("\n.SS " + escaped(verb.name) + "\n");
    ASSERT_NE(begin, std::string::npos) << verb.name;
    const std::string section = page.substr(begin, page.find("\n.S", begin + 1) - begin);
    VerbOptions options = verb.defaults;
    for (const Argument& argument : arguments_of(options))
      EXPECT_NE(section.find("\\fB" + escaped(argument.name)), std::string::npos) << argument.name;
    for (const std::string_view example : verb.examples)
      EXPECT_NE(section.find("    linformer " + escaped(example) + "\n"), std::string::npos);
  }
  for (const ExitCodeRow& row : exit_code_table())
    EXPECT_NE(page.find("\\fB" + std::to_string(static_cast<int>(row.code)) + "\\fR\n" +
                        escaped(row.meaning)),
              std::string::npos);
}

TEST(ManPage, HasNoRequestButItsOwn) {
  const std::set<std::string> known{".TH", ".SH", ".SS", ".TP", ".PP", ".nf", ".fi"};
  std::istringstream lines(man_page());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_FALSE(line.empty()) << "line " << count;
    EXPECT_FALSE(line.starts_with('\'')) << line;
    if (line.starts_with('.')) {
      EXPECT_TRUE(known.contains(line.substr(0, 3))) << line;
    }
  }
  EXPECT_GT(count, 300);
}

TEST(ManPage, IsPrintedByHelp) {
  const ProcessResult result =
      run_process({.arguments = {LF_BINARY_DIR "/linformer", "help", "--man"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, man_page());
}

}  // namespace
}  // namespace linformer
