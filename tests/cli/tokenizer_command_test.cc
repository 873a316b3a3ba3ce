// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "cli/verbs.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/temp_directory.h"
#include "text/tokenizer.h"

namespace linformer {
namespace {

constexpr std::int64_t kVocabSize = 270;

class TokenizerCommand : public testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view text) { talk_ += std::string(text) + "\n"; });
  }
  void TearDown() override { set_log_sink({}); }

  std::string train(std::vector<std::string> inputs, bool json = false, bool lowercase = false,
                    const std::string& name = "tokenizer") {
    CommonOptions common;
    common.json = json;
    testing::internal::CaptureStdout();
    const int code = run_tokenizer_train({.inputs = std::move(inputs),
                                          .vocab_size = kVocabSize,
                                          .lowercase = lowercase,
                                          .output = directory_.file(name)},
                                         common);
    EXPECT_EQ(code, 0);
    return testing::internal::GetCapturedStdout();
  }

  /// What encode or decode writes for `input` on stdin.
  std::string code(const std::string& input, TokenizerCodeOptions options, bool json = false) {
    options.tokenizer = directory_.file("tokenizer");
    CommonOptions common;
    common.json = json;
    const std::string file = directory_.write("input", input);
    const int saved = ::dup(STDIN_FILENO);
    const int descriptor = ::open(file.c_str(), O_RDONLY);
    ::dup2(descriptor, STDIN_FILENO);
    ::close(descriptor);
    testing::internal::CaptureStdout();
    std::string error;
    try {
      EXPECT_EQ(run_tokenizer_code(options, common), 0);
    } catch (const Error& thrown) {
      error = thrown.what();
    }
    const std::string out = testing::internal::GetCapturedStdout();
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
    return error.empty() ? out : "error: " + error;
  }
  std::string encode(const std::string& input, TokenizerCodeOptions options = {}) {
    return code(input, options);
  }
  std::string decode(const std::string& input) { return code(input, {.decode = true}); }

  std::string lines_ = "the cat sat on the mat\nthe dog sat\nGrüße aus München\n";
  TempDirectory directory_;
  std::string talk_;
};

TEST_F(TokenizerCommand, TrainWritesATokenizerAndItsSize) {
  const auto result = nlohmann::json::parse(train({directory_.write("a.txt", lines_)}, true));
  EXPECT_EQ(result["vocab_size"], kVocabSize);
  EXPECT_EQ(result["merges"], kVocabSize - 261);
  EXPECT_GE(result["seconds"], 0.0);
  EXPECT_EQ(result.size(), 3U);
  for (const char* name : {"tokenizer.json", "vocab.json", "merges.txt"}) {
    EXPECT_TRUE(std::filesystem::exists(directory_.file("tokenizer/") + name)) << name;
  }
  EXPECT_EQ(Tokenizer::load(directory_.file("tokenizer")).vocab_size(), kVocabSize);
}

TEST_F(TokenizerCommand, LinesCompressedLinesAndTablesGiveOneTokenizer) {
  const std::string csv = "de,en\nGrüße aus München,the dog sat\n,the cat sat on the mat\n";
  const std::string tsv = "en\tde\nthe dog sat\tGrüße aus München\nthe cat sat on the mat\t\n";
  std::vector<std::string> digests;
  for (const std::string& file :
       {directory_.write("a.txt", lines_), directory_.write("a.txt.gz", gzip_bytes(lines_)),
        directory_.write("a.csv", csv), directory_.write("a.csv.gz", gzip_bytes(csv)),
        directory_.write("a.tsv", tsv), directory_.write("a.tsv.gz", gzip_bytes(tsv))}) {
    const std::string name = "t" + std::to_string(digests.size());
    train({file}, false, false, name);
    digests.push_back(Tokenizer::load(directory_.file(name)).digest());
    EXPECT_EQ(digests.back(), digests.front()) << file;
  }
}

TEST_F(TokenizerCommand, SeveralInputsAreOneText) {
  train({directory_.write("a", "the cat sat on the mat\nthe dog sat\n"),
         directory_.write("b", "Grüße aus München")},
        false, false, "parts");
  train({directory_.write("c", lines_)});
  EXPECT_EQ(Tokenizer::load(directory_.file("parts")).digest(),
            Tokenizer::load(directory_.file("tokenizer")).digest());
}

TEST_F(TokenizerCommand, ASmallTextGivesFewerEntriesAndAWarning) {
  EXPECT_NE(train({directory_.write("a", "ab ab")}).find(": 263 entries, 2 merges, "),
            std::string::npos);
  EXPECT_EQ(talk_, "the text gives only 263 of 270 entries\n");
}

TEST_F(TokenizerCommand, TrainRefusesBadArgumentsBeforeItReads) {
  const auto error = [&](TokenizerTrainOptions options) {
    return error_text<UserError>([&] { run_tokenizer_train(options, {}); });
  };
  const std::string output = directory_.file("tokenizer");
  EXPECT_EQ(error({.vocab_size = 300, .output = output}),
            "no INPUT (want text files, .csv or .tsv, also .gz)");
  EXPECT_EQ(error({.inputs = {"x"}, .vocab_size = 300}),
            "--output is missing (want the name of a directory)");
  EXPECT_EQ(error({.inputs = {"x"}, .vocab_size = 9, .output = output}),
            "vocabulary size is 9 (want 261 to 1000000)");
  EXPECT_EQ(error({.inputs = {directory_.file("x")}, .vocab_size = 300, .output = output})
                .find(directory_.file("x") + ": cannot open"),
            0U);
  directory_.write("f", "");
  EXPECT_EQ(error({.inputs = {"x"}, .vocab_size = 300, .output = directory_.path()}),
            directory_.path() + ": exists and is not empty (want a new directory)");
  EXPECT_NE(
      error({.inputs = {directory_.write("bad", "a\xFF\n")}, .vocab_size = 300, .output = output})
          .find("@1: "),
      std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(output));
}

TEST_F(TokenizerCommand, EncodeAndDecodeKeepLinesAndTheirOrder) {
  train({directory_.write("a", lines_)});
  const std::string text = "the cat\n\n  zyx  , 's < s> \u00a0\nGrüße aus München !";
  EXPECT_EQ(decode(encode(text)), text + "\n");
  EXPECT_EQ(decode(encode(text, {.no_special = true})), text + "\n");
  EXPECT_EQ(encode("\n"), "0 2\n");
  EXPECT_EQ(encode("\n", {.no_special = true}), "\n");
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(decode("0 2\n\n"), "\n\n");
}

TEST_F(TokenizerCommand, DecodeLeavesSpecialTokensOut) {
  train({directory_.write("a", lines_)});
  EXPECT_EQ(decode("0 2 269 1 3"), "\n");
  EXPECT_EQ(decode(encode("a <s>b")), "a b\n");
}

TEST_F(TokenizerCommand, MaximumLengthCountsAllIds) {
  train({directory_.write("a", lines_)});
  const std::string whole = encode("xyzxyz", {.no_special = true});
  EXPECT_EQ(encode("xyzxyz", {.max_length = 4}),
            "0 " + whole.substr(0, whole.find(' ', whole.find(' ') + 1)) + " 2\n");
  EXPECT_EQ(encode("xyzxyz", {.no_special = true, .max_length = 1}),
            whole.substr(0, whole.find(' ')) + "\n");
  EXPECT_EQ(encode("x", {.max_length = 1}),
            "error: --max-length 1 (want at least 2, for <s> and </s>, or 0 for no limit)");
  EXPECT_EQ(encode("x", {.max_length = -3}),
            "error: --max-length -3 (want at least 2, for <s> and </s>, or 0 for no limit)");
}

TEST_F(TokenizerCommand, JsonIsOneObject) {
  train({directory_.write("a", lines_)});
  const auto ids = nlohmann::json::parse(code("<s>\n\n", {}, true));
  EXPECT_EQ(ids, nlohmann::json::parse(R"({"ids": [[0, 0, 2], [0, 2]]})"));
  const auto texts = nlohmann::json::parse(code("0 64 2\n\n", {.decode = true}, true));
  EXPECT_EQ(texts["texts"].size(), 2U);
  EXPECT_EQ(code("", {}, true), "{\"ids\": []}\n");
}

TEST_F(TokenizerCommand, InvalidUtf8IsReplacedAndCountedOnce) {
  train({directory_.write("a", lines_)});
  talk_.clear();
  EXPECT_EQ(encode("a\xFF"
                   "b\xE2\x82\nok\n\xC3\n"),
            encode("a\uFFFDb\uFFFD\nok\n\uFFFD\n"));
  EXPECT_EQ(talk_, "invalid UTF-8 in 2 lines, replaced by U+FFFD\n");
}

TEST_F(TokenizerCommand, LineBreaksInDecodedTextDoNotAddLines) {
  train({directory_.write("a", lines_)});
  talk_.clear();
  const Tokenizer tokenizer = Tokenizer::load(directory_.file("tokenizer"));
  std::vector<std::int32_t> ids;
  tokenizer.encode("a\n", ids);
  std::string line;
  for (const std::int32_t id : ids) line += std::to_string(id) + " ";
  EXPECT_EQ(decode(line), "a \n");
  EXPECT_EQ(talk_, "line breaks in the text of 1 line, replaced by spaces\n");
}

TEST_F(TokenizerCommand, WhatIsNoIdIsNamedWithItsPlace) {
  train({directory_.write("a", lines_)});
  const std::string want = " is not a token id (want 0..269)";
  EXPECT_EQ(decode("1\n5  x\n"), "error: stdin:2:4: 'x'" + want);
  EXPECT_EQ(decode("300"), "error: stdin:1:1: '300'" + want);
  EXPECT_EQ(decode("-1"), "error: stdin:1:1: '-1'" + want);
  EXPECT_EQ(decode("1.5"), "error: stdin:1:1: '1.5'" + want);
  EXPECT_EQ(decode("99999999999"), "error: stdin:1:1: '99999999999'" + want);
}

TEST_F(TokenizerCommand, AMissingTokenizerIsNamed) {
  EXPECT_EQ(error_text<UsageError>([] { run_tokenizer_code({}, {}); }),
            "--tokenizer is missing (want a directory with tokenizer.json)");
  EXPECT_EQ(
      encode("x").find("error: " + directory_.file("tokenizer") + ": no such file or directory"),
      0U);
}

TEST_F(TokenizerCommand, ALowerCaseTokenizerEncodesCapitalsAsSmallLetters) {
  train({directory_.write("a", lines_)}, false, true);
  EXPECT_EQ(encode("THE CAT"), encode("the cat"));
  EXPECT_EQ(decode(encode("GRÜẞE")), "grüße\n");
}

}  // namespace
}  // namespace linformer
