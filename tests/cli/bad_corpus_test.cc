// SPDX-License-Identifier: Apache-2.0
// Wrong corpora, and odd ones that are accepted.
#include <gtest/gtest.h>

#include "support/bad_input.h"

namespace linformer {
namespace {

/// `pretokenize` of one CSV file.
BadInput csv(const std::string& name, const std::string& content,
             const std::vector<std::string>& expected, int exit_code = 2,
             const std::vector<std::string>& flags = {}) {
  std::vector<std::string> arguments{"pretokenize", "c.csv",   "--tokenizer", "tok",
                                     "--output",    "out.lfs", "--quiet"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return {name, arguments, {{"c.csv", content}}, expected, exit_code};
}

std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::vector<BadInput> rows() {
  std::vector<BadInput> out{
      csv("Empty", "", {"c.csv"}),
      csv("HeaderOnly", "de,en\n", {"c.csv", "no rows"}),
      csv("NoFinalNewlineIsAccepted", "de,en\nHaus,house", {"1 pair"}, 0),
      csv("ColumnMissing", "de,fr\nHaus,maison\n", {"c.csv", "en", "de", "fr"}),
      csv("ColumnTwice", "de,en,en\na,b,c\n", {"c.csv", "en"}),
      csv("ByteOrderMarkIsAccepted",
          "\xEF\xBB\xBF"
          "de,en\nHaus,house\n",
          {"1 pair"}, 0),
      csv("RowOfOne", "de,en\nHaus,house\nnur\n", {"c.csv:3"}),
      csv("RowOfThree", "de,en\n\"Ha\nus\",house\na,b,c\n", {"c.csv:4"}),
      csv("QuoteNeverClosed", "de,en\nHaus,house\n\"Haus,house\n" + std::string(2U << 20, 'x'),
          {"c.csv:3"}),
      csv("TextAfterQuote", "de,en\n\"a\"b,c\n", {"c.csv:2:4"}),
      csv("InvalidUtf8", "de,en\nHaus,\xFFhouse\n", {"c.csv", "@11"}),
      csv("Overlong", "de,en\nHaus,\xC0\xAF\n", {"c.csv", "@11"}),
      csv("Surrogate", "de,en\nHaus,\xED\xA0\x80\n", {"c.csv", "@11"}),
      csv("BeyondUnicode", "de,en\nHaus,\xF4\x90\x80\x80\n", {"c.csv", "@11"}),
      csv("InvalidUtf8IsReplacedOnRequest", "de,en\nHaus,\xFFhouse\n", {"1 pair"}, 0,
          {"--invalid-utf8", "replace"}),
      csv("Nul", std::string("de,en\nHaus,a\0b\n", 15), {"c.csv"}),
      csv("LoneCarriageReturn", "de,en\rHaus,house\r", {"c.csv"}),
      csv("MixedLineEndsAreAccepted", "de,en\r\nHaus,house\nMaus,mouse\r\n", {"2 pairs"}, 0),
      csv("WordsThatLookLikeNothingAreText", "de,en\nNA,null\nNone,nan\n", {"2 pairs"}, 0),
      csv("EmptyCellOnRequest", "de,en\nHaus,house\n,x\n", {"c.csv:3"}, 2, {"--empty", "error"}),
      csv("EmptyCellIsSkipped", "de,en\nHaus,house\n,x\n", {"1 pair"}, 0),
      csv("UnusualCharactersAreText",
          "de,en\n\xE2\x80\xA8 \xC2\x85 \xEF\xBB\xBF,\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB "
          "e\xCC\x81\n",
          {"1 pair"}, 0),
      csv("CellOfTwoMegabytes", "de,en\n" + std::string(2U << 20, 'a') + ",b\n", {"c.csv:2"}),
      csv("WordOfHalfAMegabyteIsAccepted", "de,en\n" + std::string(500000, 'a') + ",b\n",
          {"1 pair"}, 0),
      csv("GzipUnderAnotherName", "\x1F\x8B\x08\x00\x00\x00\x00\x00", {"c.csv", "gzip"}),
      csv("FractionZero", "de,en\na,b\n", {"--fraction 0 (want a number above 0, at most 1)"}, 2,
          {"--fraction", "0"}),
      csv("FractionNegative", "de,en\na,b\n", {"--fraction -0.1 (want"}, 2, {"--fraction", "-0.1"}),
      csv("FractionAboveOne", "de,en\na,b\n", {"--fraction 1.5 (want"}, 2, {"--fraction", "1.5"}),
      csv("FractionNan", "de,en\na,b\n", {"--fraction nan (want"}, 2, {"--fraction", "nan"}),
      csv("FractionLeavesNothing", "de,en\na,b\n", {"0.1"}, 2, {"--fraction", "0.1"}),
  };
  out.push_back(
      {"FileMissing", {"stats", "none.csv", "--tokenizer", "tok"}, {}, {"none.csv: cannot open"}});
  out.push_back(
      {"UnknownKind", {"stats", "c.docx", "--tokenizer", "tok"}, {{"c.docx", "x"}}, {"c.docx"}});
  out.push_back({"PlainUnderGzipName",
                 {"stats", "c.csv.gz", "--tokenizer", "tok"},
                 {{"c.csv.gz", "de,en\na,b\n"}},
                 {"c.csv.gz", "gzip"}});
  out.push_back({"LineFilesOfDifferentLength",
                 {"stats", "--source", "a", "--target", "b", "--tokenizer", "tok"},
                 {{"a", "x\ny\n"}, {"b", "x\n"}},
                 {"1", "2"}});
  out.push_back({"ValidationWouldBeEmpty",
                 {"train", "--dry-run", "--quiet", "--config", "good.yaml", "--train", "c.csv"},
                 {{"c.csv", "de,en\n" + repeated("a,b\n", 50)}},
                 {"validation split would be empty"}});
  return out;
}

class BadCorpus : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadCorpus, GetsOneLineAndChangesNothing) { check_bad_input(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Rows, BadCorpus, ::testing::ValuesIn(rows()), bad_input_name);

}  // namespace
}  // namespace linformer
