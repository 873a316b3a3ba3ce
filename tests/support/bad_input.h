// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "support/byte_tokenizer.h"
#include "support/config_text.h"
#include "support/run_process.h"
#include "support/temp_directory.h"

namespace linformer {

/// One wrong input and what it gets. The program runs in a directory that holds `files` (a name
/// that ends in '/' is an empty directory) beside good.yaml, good.csv and tok/ (a tokenizer of
/// single bytes); it may change nothing there.
struct BadInput {
  std::string name;  // letters and digits
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> files;
  std::vector<std::string> expected;  // parts of the one error line
  int exit_code = 2;                  // 0: accepted
  std::string input;                  // stdin
  bool needs_engine = false;
};

/// What googletest prints for a row.
inline void PrintTo(const BadInput& row, std::ostream* out) { *out << row.name; }

inline std::string bad_input_name(const ::testing::TestParamInfo<BadInput>& info) {
  return info.param.name;
}

inline bool has_engine() { return std::filesystem::exists(LF_BINARY_DIR "/linformer-engine"); }

/// Rows that can run in this build: those of the engine only where it is built.
inline std::vector<BadInput> runnable(std::vector<BadInput> rows) {
  std::erase_if(rows, [](const BadInput& row) { return row.needs_engine && !has_engine(); });
  return rows;
}

/// Every path below `directory` with the digest of its content.
inline std::map<std::string, std::string> snapshot(const std::string& directory) {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const bool is_file = entry.is_regular_file();
    out[entry.path().string()] = is_file ? sha256_file(entry.path().string()) : "";
  }
  return out;
}

inline void lay_out(const BadInput& row, const TempDirectory& directory) {
  directory.write("good.yaml", seed_config());
  std::string corpus = "de,en\n";
  for (int i = 0; i < 300; ++i) corpus += "ein Haus,a house\n";
  directory.write("good.csv", corpus);
  byte_tokenizer().save(directory.file("tok"));
  for (const auto& [name, content] : row.files) {
    const std::filesystem::path path = directory.file(name);
    if (name.ends_with('/')) {
      std::filesystem::create_directories(path);
    } else {
      std::filesystem::create_directories(path.parent_path());
      directory.write(name, content);
    }
  }
}

inline void expect_one_error_line(const BadInput& row, const ProcessResult& result) {
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(result.err.starts_with("linformer: error: ")) << result.err;
  EXPECT_TRUE(result.err.ends_with('\n'));
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_LE(result.err.size(), 401U);
  for (const std::string& part : row.expected)
    EXPECT_NE(result.err.find(part), std::string::npos)
        << "want: " << part << "\ngot:  " << result.err;
}

/// Runs one row and checks exit code, error line, stdout and that no file was touched.
inline void check_bad_input(const BadInput& row) {
  const TempDirectory directory;
  lay_out(row, directory);
  const auto before = snapshot(directory.path());
  ProcessRequest request{.arguments = row.arguments,
                         .directory = directory.path(),
                         .input = row.input,
                         .timeout = std::chrono::seconds(120)};
  request.arguments.insert(request.arguments.begin(), LF_BINARY_DIR "/linformer");
  const ProcessResult result = run_process(request);
  EXPECT_EQ(result.exit_code, row.exit_code) << result.err;
  if (row.exit_code != 0) {
    expect_one_error_line(row, result);
    EXPECT_EQ(snapshot(directory.path()), before);
  } else {
    EXPECT_EQ(result.err.find("error: "), std::string::npos) << result.err;
    for (const std::string& part : row.expected)
      EXPECT_NE(result.out.find(part), std::string::npos)
          << "want: " << part << "\ngot:  " << result.out;
  }
}

}  // namespace linformer
