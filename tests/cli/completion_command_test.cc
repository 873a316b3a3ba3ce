// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "support/run_process.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr char kProgram[] = LF_BINARY_DIR "/linformer";

std::string script(const std::string& shell) {
  const ProcessResult result = run_process({.arguments = {kProgram, "completion", shell}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  return result.out;
}

/// What bash offers after `words`, the last of which is being typed.
std::vector<std::string> offers(const std::vector<std::string>& words) {
  const TempDirectory directory;
  directory.write("some-file.yaml", "");
  std::string program = script("bash") + "COMP_WORDS=(";
  for (const std::string& word : words) program += " '" + word + "'";
  program += ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) +
             "\n_linformer\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  const std::string path = directory.write("try.sh", program);
  const ProcessResult result =
      run_process({.arguments = {"/bin/bash", path}, .directory = directory.path()});
  EXPECT_EQ(result.err, "");
  std::vector<std::string> out;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  return out;
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

TEST(Completion, OffersVerbsInBash) {
  EXPECT_TRUE(has(offers({"linformer", ""}), "train"));
  EXPECT_TRUE(has(offers({"linformer", ""}), "tokenizer"));
  EXPECT_EQ(offers({"linformer", "dem"}), std::vector<std::string>{"demo"});
  EXPECT_EQ(offers({"linformer", "tokenizer", ""}),
            (std::vector<std::string>{"train", "encode", "decode"}));
}

TEST(Completion, OffersFlagsChoicesOptionsAndFilesInBash) {
  EXPECT_EQ(offers({"linformer", "train", "--conf"}), std::vector<std::string>{"--config"});
  EXPECT_EQ(offers({"linformer", "tokenizer", "encode", "--no"}),
            std::vector<std::string>{"--no-special"});
  EXPECT_EQ(offers({"linformer", "pretokenize", "--long", ""}),
            (std::vector<std::string>{"drop", "truncate", "error"}));
  EXPECT_EQ(offers({"linformer", "demo", "--device", "c"}),
            (std::vector<std::string>{"cpu", "cuda"}));
  EXPECT_EQ(offers({"linformer", "completion", "z"}), std::vector<std::string>{"zsh"});
  EXPECT_TRUE(has(offers({"linformer", "train", "model.d"}), "model.dim="));
  EXPECT_EQ(offers({"linformer", "train", "--config", "some"}),
            std::vector<std::string>{"some-file.yaml"});
}

TEST(Completion, NamesEveryVerbForEveryShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string text = script(shell);
    for (const char* word : {"demo", "tokenizer", "pretokenize", "evaluate", "score", "translate",
                             "compare", "config"}) {
      EXPECT_NE(text.find(word), std::string::npos) << shell << " " << word;
    }
    EXPECT_NE(text.find("vocab-size"), std::string::npos) << shell;
  }
  EXPECT_TRUE(script("zsh").starts_with("#compdef linformer\n"));
}

}  // namespace
}  // namespace linformer
