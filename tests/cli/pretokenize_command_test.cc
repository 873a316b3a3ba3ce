// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "cli/verbs.h"
#include "data/token_store.h"
#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

class PretokenizeCommand : public testing::Test {
 protected:
  void SetUp() override {
    byte_tokenizer().save(directory_.file("tokenizer"));
    options_.corpus.file = directory_.write("a.csv", "de,en\nab,abcdefgh\n,x\nc,d\ne\xFF,f\n");
    options_.tokenizer = directory_.file("tokenizer");
    options_.output = directory_.file("a.lfs");
    options_.max_length = 9;
    options_.invalid_utf8 = "replace";
    set_log_sink([this](LogLevel, std::string_view text) { talk_ += std::string(text) + "\n"; });
  }
  void TearDown() override { set_log_sink({}); }

  std::string run() {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_pretokenize(options_, common_), 0);
    return testing::internal::GetCapturedStdout();
  }

  TempDirectory directory_;
  PretokenizeOptions options_;
  CommonOptions common_;
  std::string talk_;
};

TEST_F(PretokenizeCommand, WritesOneJsonObject) {
  common_.json = true;
  const auto json = nlohmann::json::parse(run());
  EXPECT_EQ(json.at("pairs"), 2);
  EXPECT_EQ(json.at("dropped"), 1);
  EXPECT_EQ(json.at("truncated"), 0);
  EXPECT_EQ(json.at("skipped_empty"), 1);
  EXPECT_EQ(json.at("replaced"), 1);
  EXPECT_EQ(json.at("source_tokens"), 2);
  EXPECT_EQ(json.at("target_tokens"), 1 + 4);
  EXPECT_EQ(json.at("bytes"), TokenStore(options_.output).info().bytes);
  EXPECT_GT(json.at("seconds"), 0.0);
  EXPECT_GT(json.at("megabytes_per_second"), 0.0);
}

TEST_F(PretokenizeCommand, WritesOneLineAndTalksOfWhatIsLeftOut) {
  const std::string line = run();
  EXPECT_TRUE(line.starts_with(options_.output + ": 2 pairs, 2 source and 5 target tokens, "))
      << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(
      talk_,
      "dropped 1 pair longer than 9 tokens\nskipped 1 pair with an empty cell, the first at " +
          options_.corpus.file + ":3\nreplaced 1 invalid UTF-8 sequences by U+FFFD\n");
}

TEST_F(PretokenizeCommand, JoinsDocuments) {
  options_.corpus.file = directory_.write("d.csv", "id,de,en\nx,a,b\nx,c,d\n");
  options_.document_column = "id";
  EXPECT_TRUE(
      run().starts_with(options_.output + ": 1 pair of 2 sentences, 3 source and 3 target"));
  common_.json = true;
  EXPECT_EQ(nlohmann::json::parse(run()).at("sentences"), 2);
}

TEST_F(PretokenizeCommand, CorpusThatGrowsWhileItIsReadIsAnErrorAndLeavesNoStore) {
  // A file of the kernel's has size 0 and gives bytes all the same.
  std::filesystem::create_symlink("/proc/self/status", directory_.file("growing.txt"));
  options_.corpus.file.clear();
  options_.corpus.source_file = options_.corpus.target_file = directory_.file("growing.txt");
  const std::string text = error_text<DataError>([&] { run_pretokenize(options_, common_); });
  EXPECT_TRUE(text.starts_with(options_.corpus.source_file + ": changed while it was read"))
      << text;
  EXPECT_FALSE(std::filesystem::exists(options_.output));
}

TEST_F(PretokenizeCommand, UnknownPoliciesAreUsageErrors) {
  const auto refusal = [&](std::string PretokenizeOptions::*member, const std::string& value) {
    PretokenizeOptions options = options_;
    options.*member = value;
    return error_text<UsageError>([&] { run_pretokenize(options, common_); });
  };
  EXPECT_EQ(refusal(&PretokenizeOptions::long_pairs, "x"),
            "--long x (want drop, truncate or error)");
  EXPECT_EQ(refusal(&PretokenizeOptions::empty, "x"), "--empty x (want skip, error or keep)");
  EXPECT_EQ(refusal(&PretokenizeOptions::invalid_utf8, "x"),
            "--invalid-utf8 x (want error or replace)");
  EXPECT_EQ(refusal(&PretokenizeOptions::tokenizer, ""),
            "--tokenizer is missing (want a directory with tokenizer.json)");
  EXPECT_EQ(refusal(&PretokenizeOptions::output, ""),
            "--output is missing (want the name of a token store, .lfs, or an npz corpus, .npz)");
}

}  // namespace
}  // namespace linformer
