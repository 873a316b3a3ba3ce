// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/child_process.h"
#include "support/temp_directory.h"

namespace linformer {

/// A key that no output may hold, and how it looks in an Authorization.
inline constexpr char kCanaryKey[] = "canary7canary7canary7canary7canary7canary7";
inline constexpr char kCanaryInBase64[] =
    "YXBpOmNhbmFyeTdjYW5hcnk3Y2FuYXJ5N2NhbmFyeTdjYW5hcnk3Y2FuYXJ5Nw";

/// tests/support/wandb_files_service.py with the given faults, as long as the object lives.
class WandbFilesService {
 public:
  explicit WandbFilesService(const std::vector<std::string>& faults = {}) {
    std::filesystem::create_directory(directory_.file("files"));
    std::vector<std::string> words{"python3", LF_SOURCE_DIR "/tests/support/wandb_files_service.py",
                                   directory_.file("files"), kCanaryKey};
    words.insert(words.end(), faults.begin(), faults.end());
    process_ = std::make_unique<ChildProcess>(words, directory_.file("log"));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (log().find('\n') == std::string::npos && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  /// Gives the run a file.
  void add(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = directory_.file("files/" + name);
    std::filesystem::create_directories(path.parent_path());
    directory_.write("files/" + name, content);
  }

  std::string url() const { return log().substr(0, log().find('\n')); }
  /// Where it stands in messages.
  std::string host() const { return "127.0.0.1"; }
  /// A JSON line for each request.
  std::string requests() const { return log().substr(log().find('\n') + 1); }
  /// How many requests contain `text`.
  int count(const std::string& text) const {
    int out = 0;
    const std::string all = requests();
    for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++out;
    return out;
  }

 private:
  std::string log() const { return slurp(directory_.file("log")); }

  TempDirectory directory_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace linformer
