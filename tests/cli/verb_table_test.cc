// SPDX-License-Identifier: Apache-2.0
#include "cli/verb_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "cli/command_line.h"

namespace linformer {
namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < line.size();) {
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    out.emplace_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

TEST(VerbTable, HasEveryVerbOnceWithPurposeAndExamples) {
  std::set<std::string_view> names;
  for (const Verb& verb : verb_table()) {
    EXPECT_TRUE(names.insert(verb.name).second) << verb.name;
    EXPECT_TRUE(verb.purpose.ends_with('.')) << verb.name;
    EXPECT_GE(verb.examples.size(), 1U) << verb.name;
    EXPECT_EQ(find_verb(verb.name), &verb);
  }
  for (const char* name :
       {"demo", "tokenizer train", "tokenizer encode", "tokenizer decode", "pretokenize", "stats",
        "train", "evaluate", "score", "translate", "compare", "convert", "average", "inspect", "config show",
        "config schema", "doctor", "completion"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_EQ(find_verb("nonsense"), nullptr);
}

TEST(VerbTable, ExamplesAreUnderstood) {
  for (const Verb& verb : verb_table()) {
    for (const std::string_view example : verb.examples) {
      // Redirections and pipes are the shell's.
      const std::string_view own = example.substr(0, example.find_first_of("<>|"));
      std::vector<std::string> words{"linformer"};
      for (std::string& word : words_of(own)) words.push_back(std::move(word));
      std::vector<const char*> argv;
      for (const std::string& word : words) argv.push_back(word.c_str());
      ParsedCommand command;
      EXPECT_NO_THROW(command = parse_command_line(static_cast<int>(argv.size()), argv.data()))
          << example;
      if (example.starts_with(verb.name)) EXPECT_EQ(command.verb, verb.name);
    }
  }
}

}  // namespace
}  // namespace linformer
