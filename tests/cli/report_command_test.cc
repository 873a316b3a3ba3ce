// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/run_process.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

constexpr char kTable[] = "input,candidate,reference\none,a b c d e,a b c d e\ntwo,f g,f g h i\n";

class ReportCommand : public ::testing::Test {
 protected:
  std::string run(const std::vector<std::string>& inputs, const std::string& output,
                  bool is_json = false) {
    testing::internal::CaptureStdout();
    try {
      run_report({inputs, output}, {.json = is_json});
    } catch (...) {
      testing::internal::GetCapturedStdout();
      throw;
    }
    return testing::internal::GetCapturedStdout();
  }

  TempDirectory directory_;
  std::string table_ = directory_.write("sys.csv", kTable);
  std::string page_ = directory_.file("report.html");
};

TEST_F(ReportCommand, WritesThePageAndSaysWhere) {
  EXPECT_EQ(run({table_}, page_), page_ + "\n");
  const std::string page = slurp(page_);
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_NE(page.find("<td>sys</td>"), std::string::npos);
  const auto json = nlohmann::json::parse(run({table_}, page_, true));
  EXPECT_EQ(json.at("path"), page_);
  EXPECT_EQ(json.at("translations"), 1);
  EXPECT_EQ(json.at("runs"), 0);
}

TEST_F(ReportCommand, APdfIsWritten) {
  const std::string pdf = directory_.file("report.pdf");
  run({table_}, pdf);
  EXPECT_TRUE(slurp(pdf).starts_with("%PDF-"));
}

TEST_F(ReportCommand, AnotherEndingIsRefusedBeforeAnythingIsRead) {
  EXPECT_EQ(error_text<UsageError>([&] { run({directory_.file("none")}, "report.doc"); }),
            "--output report.doc: a report is a .pdf or a .html");
}

TEST_F(ReportCommand, ABrokenInputLeavesNoReport) {
  const std::string broken = directory_.write("broken.json", "{");
  error_text<CheckpointError>([&] { run({table_, broken}, page_); });
  EXPECT_FALSE(std::filesystem::exists(page_));
}

TEST_F(ReportCommand, TheProgramAnswersWithOneLineAndCodeTwo) {
  const std::string other = directory_.write("other.csv", "de,en\na,b\n");
  const ProcessResult result =
      run_process({{LF_BINARY_DIR "/linformer", "report", other, "--output", page_}});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(result.err.starts_with("linformer: error: " + other + ": is a CSV of no known kind"))
      << result.err;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1);
}

}  // namespace
}  // namespace linformer
