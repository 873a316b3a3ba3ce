// SPDX-License-Identifier: Apache-2.0
#include "report/tool.h"

#include <chrono>
#include <filesystem>
#include <optional>

#include "base/child_process.h"
#include "base/file.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr std::chrono::minutes kLimit{5};

/// The first line that is not empty, for an error of one line.
std::string first_line(const std::string& path) {
  const MappedFile file(path);
  std::string_view text = file.bytes();
  text.remove_prefix(std::min(text.find_first_not_of("\r\n "), text.size()));
  return std::string(text.substr(0, std::min<std::size_t>(text.find('\n'), 200)));
}

}  // namespace

WorkDirectory::WorkDirectory() {
  std::error_code error;
  const std::filesystem::path base = std::filesystem::temp_directory_path(error);
  path_ = ((error ? std::filesystem::path("/tmp") : base) / random_name("linformer-report-"));
  if (!std::filesystem::create_directory(path_, error) || error)
    throw IoError(path_ + ": cannot create this directory: " + error.message());
}

WorkDirectory::~WorkDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void run_tool(const std::vector<std::string>& arguments, const std::string& directory,
              const std::string& fix) {
  const std::string log = directory + "/log.txt";
  std::optional<int> code;
  try {
    ChildProcess child(arguments, log);
    code = child.wait(kLimit);
  } catch (const IoError& error) {
    throw UserError(std::string(error.what()) + "; " + fix);
  }
  if (!code) throw IoError(arguments[0] + ": did not end within five minutes");
  if (*code != 0) {
    throw InternalError(arguments[0] + " ended with exit code " + std::to_string(*code) + ": " +
                        first_line(log));
  }
}

}  // namespace linformer
