// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_checkpoint.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "config/nested_values.h"
#include "config/yaml_tree.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "tracking/environment.h"
#include "tracking/wandb_files.h"
#include "tracking/wandb_run_path.h"

namespace linformer {
namespace {

constexpr char kOurs[] = "checkpoint/";
constexpr char kTorchFile[] = "checkpoint.pt";
constexpr std::size_t kMaxListed = 8;

std::string cache_directory(const WandbRunPath& run) {
  const std::string home = environment("HOME");
  std::string root = environment("XDG_CACHE_HOME");
  if (!root.starts_with('/') && !home.empty()) {
    root = home + "/.cache";
  } else if (!root.starts_with('/')) {
    throw UsageError("no place for files of Weights & Biases (want HOME or XDG_CACHE_HOME)");
  }
  return root + "/linformer/wandb/" + run.text();
}

void make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw_io(path, "create", error.value());
}

/// One process at a time fetches into a directory.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory) {
    const std::string path = directory + "/lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_io(path, "open", errno);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    log_info("waiting for another process that fetches into " + directory);
    if (::flock(descriptor_, LOCK_EX) == 0) return;
    const int error = errno;
    ::close(descriptor_);
    throw_io(path, "lock", error);
  }
  ~DirectoryLock() { ::close(descriptor_); }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

const WandbFile* find(const std::vector<WandbFile>& files, const std::string& name) {
  const auto found = std::ranges::find(files, name, &WandbFile::name);
  return found == files.end() ? nullptr : &*found;
}

[[noreturn]] void fail_without(const std::string& missing, const std::string& argument,
                               const WandbService& service, const WandbRunPath& run) {
  const std::vector<WandbFile> files = list_wandb_files(service, run, {});
  std::string text = files.empty() ? "no files" : "";
  for (std::size_t i = 0; i < std::min(files.size(), kMaxListed); ++i) {
    text += (i > 0 ? ", " : "") + files[i].name;
  }
  if (files.size() > kMaxListed) text += " and more";
  throw CheckpointError(argument + ": the run has no " + missing + " among its files (it has " +
                        text + ")");
}

}  // namespace

std::string local_checkpoint(const std::string& argument) {
  if (!is_wandb_argument(argument)) return argument;
  const WandbRunPath run = parse_wandb_argument(argument);
  const std::string directory = cache_directory(run);
  const WandbService service = wandb_service();

  std::vector<std::string> ours;
  for (const std::string_view name : kInferenceFiles) ours.push_back(kOurs + std::string(name));
  const std::vector<std::string> originals{kTorchFile, std::string(kConfigFile)};
  std::vector<std::string> wanted = ours;
  wanted.insert(wanted.end(), originals.begin(), originals.end());
  const std::vector<WandbFile> files = list_wandb_files(service, run, wanted);
  const bool is_ours = find(files, kOurs + std::string(kWeightsFile)) != nullptr;
  if (!is_ours && find(files, kTorchFile) == nullptr) {
    fail_without(kOurs + std::string(kWeightsFile) + " and no " + kTorchFile, argument, service,
                 run);
  }
  wanted = is_ours ? ours : originals;
  for (const std::string& name : wanted) {
    if (find(files, name) == nullptr) fail_without(name, argument, service, run);
  }

  make_directories(directory + (is_ours ? "/checkpoint" : ""));
  const DirectoryLock lock(directory);
  const std::string raw_config = directory + "/wandb-config.yaml";
  for (const std::string& name : wanted) {
    const bool is_config = name == kConfigFile;
    download_wandb_file(service, *find(files, name),
                        is_config ? raw_config : directory + "/" + name);
  }
  if (is_ours) return directory + "/checkpoint";
  const std::string config = directory + "/" + std::string(kConfigFile);
  write_file_atomically(config,
                        without_nested_values(read_file(raw_config, kMaxYamlBytes), raw_config));
  log_info("W&B: the configuration of " + directory + "/" + kTorchFile + " is " + config +
           ", for --config");
  return directory + "/" + kTorchFile;
}

}  // namespace linformer
