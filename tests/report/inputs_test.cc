// SPDX-License-Identifier: Apache-2.0
#include "report/inputs.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr char kCompare[] =
    R"({"rows":[{"attention":"vanilla fused","n":256,"batch":8,"median_ms":12.5}],"measured":"x"})";
constexpr char kTable[] = "input,candidate,reference\ns,c,r\n";

TEST(ReportInputs, EachKindIsRecognizedByItsContent) {
  const TempDirectory directory;
  std::filesystem::create_directory(directory.file("run"));
  directory.write("run/lock", "");
  std::filesystem::create_directory(directory.file("lab"));
  directory.write("lab/lab.json", R"({"version":1,"studies":[]})");
  directory.write("lab/other.json", kCompare);
  EvaluationRecord record;
  record.test_set = "news";
  record.checkpoint = "runs/vanilla/step-5";
  const ReportInputs inputs = read_report_inputs(
      {directory.file("run"), directory.file("lab"), directory.write("c.json", kCompare),
       directory.write("e.json", evaluation_json(record)),
       directory.write("s.json", R"({"file":"x/a.de","bleu":{"score":12.5,"signature":"tok:13a",
       "interval":[11.5,13.5]},"chrf":{"score":30.5},"segments":7,
       "second":{"file":"b.de","bleu":{"score":10.5}},"paired":{}})"),
       directory.write("t.csv", "256/8\n0.5\n"), directory.write("o.csv", kTable),
       directory.write("p.csv.gz", gzip_bytes(kTable))});
  EXPECT_EQ(inputs.runs.size(), 1U);
  EXPECT_EQ(inputs.scaling.size(), 3U);
  ASSERT_EQ(inputs.evaluations.size(), 1U);
  EXPECT_EQ(inputs.evaluations[0].system, "vanilla");
  ASSERT_EQ(inputs.scores.size(), 2U);
  EXPECT_EQ(inputs.scores[0].system, "a.de");
  EXPECT_EQ(inputs.scores[0].interval->at(1), 13.5);
  EXPECT_EQ(inputs.scores[0].segments, 7);
  EXPECT_EQ(inputs.scores[1].system, "b.de");
  EXPECT_FALSE(inputs.scores[1].chrf);
  EXPECT_EQ(inputs.translations.size(), 2U);
}

TEST(ReportInputs, AnythingElseIsRefusedByName) {
  const TempDirectory directory;
  const auto error_of = [&](const std::string& name, const std::string& content) {
    const std::string path = directory.write(name, content);
    const std::string text = error_text<UserError>([&] { read_report_inputs({path}); });
    EXPECT_TRUE(text.starts_with(path)) << text;
    EXPECT_LE(text.size(), 400U);
    return text;
  };
  EXPECT_NE(error_of("a.txt", "x").find("is of no known kind (want a run"), std::string::npos);
  EXPECT_NE(error_of("a.json", "{}").find("is JSON of no known kind"), std::string::npos);
  EXPECT_NE(error_of("b.json", "[1]").find("is no JSON object"), std::string::npos);
  EXPECT_NE(error_of("c.json", "{").find("is not valid JSON"), std::string::npos);
  EXPECT_NE(error_of("a.csv", "de,en\na,b\n").find("is a CSV of no known kind"), std::string::npos);
  EXPECT_NE(error_of("b.csv", "candidate,reference\n").find("no rows"), std::string::npos);
  EXPECT_EQ(error_text<UserError>([&] { read_report_inputs({directory.file("none")}); }),
            directory.file("none") + ": does not exist");
  std::filesystem::create_directory(directory.file("empty"));
  EXPECT_NE(error_text<UserError>([&] {
              read_report_inputs({directory.file("empty")});
            }).find("is a directory without a run or JSON files"),
            std::string::npos);
}

TEST(ReportInputs, TheSamePathTwiceIsRefused) {
  const TempDirectory directory;
  const std::string path = directory.write("o.csv", kTable);
  const std::string again = directory.path() + "/./o.csv";
  EXPECT_EQ(error_text<UsageError>([&] {
              read_report_inputs({path, again});
            }),
            again + " is given twice");
}

}  // namespace
}  // namespace linformer
