// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <gtest/gtest.h>

#include <string>

#include "base/exit_code.h"

namespace linformer {
namespace {

/// Length of the longest line, lines of usage and examples left out (they are never wrapped).
std::size_t widest(const std::string& text) {
  std::size_t out = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (!line.starts_with("  linformer ") && !line.starts_with("Usage:"))
      out = std::max(out, line.size());
    begin = end + 1;
  }
  return out;
}

/// The text with every run of blanks and line ends as one blank.
std::string unwrapped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool is_blank = c == ' ' || c == '\n';
    if (!is_blank) out += c;
    if (is_blank && !out.ends_with(' ')) out += ' ';
  }
  return out;
}

TEST(Help, OfTheProgramListsVerbsAndExitCodes) {
  const std::string text = program_help();
  for (const Verb& verb : verb_table())
    EXPECT_NE(text.find("  " + std::string(verb.name) + " "), std::string::npos) << verb.name;
  for (const ExitCodeRow& row : exit_code_table()) {
    EXPECT_NE(text.find("\n  " + std::to_string(static_cast<int>(row.code)) + " "),
              std::string::npos);
    EXPECT_NE(text.find(row.meaning), std::string::npos);
  }
  EXPECT_LE(widest(text), 120U);
}

TEST(Help, OfAVerbShowsExamplesDefaultsAndRanges) {
  const std::string text = unwrapped(verb_help(*find_verb("pretokenize")));
  EXPECT_NE(text.find(" Usage: linformer pretokenize CORPUS --tokenizer DIR --output STORE.lfs "),
            std::string::npos);
  EXPECT_NE(text.find(" linformer pretokenize data/train.csv.gz "), std::string::npos);
  EXPECT_NE(text.find("[a number above 0, at most 1; default 1]"), std::string::npos) << text;
  EXPECT_NE(text.find("[drop, truncate or error; default drop]"), std::string::npos);
  EXPECT_NE(text.find("[required]"), std::string::npos);
  EXPECT_EQ(text.find("--device"), std::string::npos);
}

TEST(Help, OfEveryVerbFitsTheScreen) {
  for (const Verb& verb : verb_table()) {
    const std::string text = verb_help(verb);
    EXPECT_LE(widest(text), 100U) << text;
    EXPECT_TRUE(text.ends_with("Print this text.\n"));
    EXPECT_EQ(text.find('\t'), std::string::npos);
  }
}

}  // namespace
}  // namespace linformer
