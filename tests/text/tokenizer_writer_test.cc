// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"
#include "text/golden.h"
#include "text/tokenizer_reader.h"

namespace linformer {
namespace {

namespace fs = std::filesystem;

void expect_equal(const TokenizerSpec& a, const TokenizerSpec& b) {
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.merges, b.merges);
  EXPECT_EQ(a.added, b.added);
  EXPECT_EQ(a.lowercase, b.lowercase);
  EXPECT_EQ(a.add_prefix_space, b.add_prefix_space);
}

TEST(TokenizerWriter, WhatIsWrittenIsReadBack) {
  TokenizerSpec spec = golden_spec();
  spec.add_prefix_space = spec.lowercase = true;
  spec.added[3].right_strip = true;
  spec.added[3].special = false;
  spec.added[2].normalized = true;
  expect_equal(parse_tokenizer_json(tokenizer_json(spec), "t.json"), spec);
}

TEST(TokenizerWriter, AllThreeFilesHoldTheSameTokenizer) {
  const TempDirectory parent;
  const std::string directory = parent.file("a/b/tokenizer/");
  const TokenizerSpec spec = golden_spec();
  write_tokenizer(spec, directory);
  expect_equal(read_tokenizer(directory), spec);
  expect_equal(parse_vocab_and_merges(slurp(directory + "vocab.json"), "v",
                                      slurp(directory + "merges.txt"), "m"),
               spec);
  EXPECT_EQ(std::distance(fs::directory_iterator(parent.file("a/b")), {}), 1);
}

TEST(TokenizerWriter, AnEmptyDirectoryIsFilledAndAnotherRefused) {
  const TempDirectory parent;
  const std::string directory = parent.file("d");
  fs::create_directory(directory);
  write_tokenizer(golden_spec(), directory);
  EXPECT_EQ(error_text<UserError>([&] { write_tokenizer(golden_spec(), directory); }),
            directory + ": exists and is not empty (want a new directory)");
  const std::string file = parent.write("f", "x");
  EXPECT_EQ(error_text<UserError>([&] { write_tokenizer(golden_spec(), file); }),
            file + ": exists and is not a directory");
  EXPECT_EQ(slurp(file), "x");
}

TEST(TokenizerWriter, ADirectoryThatCannotBeCreatedIsAnIoError) {
  const TempDirectory parent;
  const std::string directory = parent.write("f", "x") + "/d";
  EXPECT_EQ(error_text<IoError>([&] {
              write_tokenizer(golden_spec(), directory);
            }).find(directory + ": cannot create: "),
            0U);
}

#ifdef LINFORMER_FAULTS
TEST(TokenizerWriterDeathTest, AFailedWriteLeavesNothingBehind) {
  const TempDirectory parent;
  for (const char* fault : {"write@2:enospc", "fsync@3:eio", "open@2:enospc", "rename@3:eio"}) {
    EXPECT_EXIT(
        {
          ::setenv("LINFORMER_FAULT", fault, 1);
          try {
            write_tokenizer(golden_spec(), parent.file("d"));
          } catch (const IoError&) {
            std::exit(fs::is_empty(parent.path()) ? 9 : 1);
          }
          std::exit(2);
        },
        testing::ExitedWithCode(9), "")
        << fault;
  }
}
#endif

}  // namespace
}  // namespace linformer
