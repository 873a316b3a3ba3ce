// SPDX-License-Identifier: Apache-2.0
#include "storage/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/fault.h"
#include "base/file.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"

namespace linformer {
namespace {

constexpr const char* kLockFile = "lock";
constexpr std::size_t kRandomLetters = 8;

/// Files that a run leaves in its directory; only these are ever deleted by name.
constexpr std::array<std::string_view, 5> kRunFiles{"config.yaml", "env.json", "metrics.jsonl",
                                                    "best.json", "wandb_run_id"};
constexpr std::array<std::string_view, 3> kTokenizerFiles{"tokenizer.json", "vocab.json",
                                                          "merges.txt"};
constexpr std::array<std::string_view, 6> kGenerationFiles{
    kWeightsFile, kOptimizerFile, kStateFile, kConfigFile, kTokenizerFile, kManifestFile};

/// "STEM" of "STEM.tmp-<8 random letters>", the name of something unfinished; else nothing.
std::string_view unfinished_stem(std::string_view name) {
  constexpr std::string_view kMark = ".tmp-";
  const std::size_t tail = kMark.size() + kRandomLetters;
  if (name.size() <= tail || name.substr(name.size() - tail, kMark.size()) != kMark) return {};
  return name.substr(0, name.size() - tail);
}

bool is_step_name(std::string_view name) {
  constexpr std::string_view kPrefix = "step-";
  return name.size() > kPrefix.size() && name.starts_with(kPrefix) &&
         name.find_first_not_of("0123456789", kPrefix.size()) == std::string_view::npos;
}

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// What saves that were cut off have left; nothing else has such names.
void remove_unfinished(const std::string& path) {
  for (const std::string& name : list_directory(path)) {
    const std::string_view stem = unfinished_stem(name);
    if (is_step_name(stem)) {
      discard_directory(path + "/" + name);
    } else if (is_among(kRunFiles, stem)) {
      remove_file(path + "/" + name);
    }
  }
}

void remove_step(const std::string& path) {
  Manifest manifest;
  try {
    manifest = read_manifest(path);
  } catch (const CheckpointError&) {
    for (const std::string_view name : kGenerationFiles) manifest.files[std::string(name)] = {};
  }
  for (const auto& [name, digest] : manifest.files) remove_file(path + "/" + name);
  remove_file(path + "/" + std::string(kManifestFile));
  remove_empty_directory(path);
}

void remove_tokenizer(const std::string& path) {
  if (!is_directory(path)) return;
  for (const std::string_view name : kTokenizerFiles) remove_file(path + "/" + std::string(name));
  remove_empty_directory(path);
}

void remove_tensorboard(const std::string& path) {
  if (!is_directory(path)) return;
  for (const std::string& name : list_directory(path)) {
    if (name.starts_with("events.out.tfevents.")) remove_file(path + "/" + name);
  }
  remove_empty_directory(path);
}

/// Records of evaluate (tracking/evaluation_record.h).
void remove_evaluations(const std::string& path) {
  if (!is_directory(path)) return;
  for (const std::string& name : list_directory(path)) {
    const std::string_view stem = unfinished_stem(name);
    if ((stem.empty() ? name : stem).ends_with(".json")) remove_file(path + "/" + name);
  }
  remove_empty_directory(path);
}

void remove_wandb(const std::string& path) {
  if (!is_directory(path)) return;
  for (const std::string& name : list_directory(path)) {
    if (name.starts_with("debug-cli.")) remove_file(path + "/" + name);
    if (!name.starts_with("offline-run-")) continue;
    for (const char* part : {"/files/checkpoint", "/files", "/logs", ""})
      discard_directory(path + "/" + name + part);
  }
  discard_directory(path + "/logs");  // of the wandb program
  std::error_code error;
  if (std::filesystem::is_symlink(path + "/latest-run", error)) remove_file(path + "/latest-run");
  remove_empty_directory(path);
}

/// Empties a run directory of what a run leaves there.
void remove_run_files(const std::string& path) {
  remove_unfinished(path);
  for (const Generation& generation : list_generations(path)) remove_step(generation.path);
  for (const std::string_view name : kRunFiles) remove_file(path + "/" + std::string(name));
  remove_tokenizer(path + "/tokenizer");
  remove_tensorboard(path + "/tensorboard");
  remove_wandb(path + "/wandb");
  remove_evaluations(path + "/evaluations");
  const std::string averaged = path + "/averaged";
  if (!path_exists(averaged + "/" + kLockFile)) return;
  remove_run_files(averaged);
  remove_file(averaged + "/" + kLockFile);
  remove_empty_directory(averaged);
}

/// What cannot be done here at all is the user's error, a disk that fails is not.
[[noreturn]] void fail_to(const char* action, const std::string& path, int error) {
  if (error == EIO || error == ENOSPC || error == EDQUOT || error == EINTR) {
    throw_io(path, action, error);
  }
  throw UserError(path + ": cannot " + action + ": " + errno_text(error));
}

/// mkdir -p for everything but the last component, which must not exist.
void make_new_directory(const std::string& path) {
  std::error_code error;
  const std::string parent = parent_directory(path);
  std::filesystem::create_directories(parent, error);
  if (error && !is_directory(parent)) {
    throw UserError(parent + ": cannot create this directory: " + error.message());
  }
  fault_point("mkdir");
  if (::mkdir(path.c_str(), 0777) != 0) fail_to("create this directory", path, errno);
}

std::string holder_of(int lock) {
  std::array<char, 32> text{};
  const ssize_t count = ::pread(lock, text.data(), text.size() - 1, 0);
  const std::string_view pid(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  const std::string digits(pid.substr(0, pid.find_first_not_of("0123456789")));
  return digits.empty() ? "another process" : "process " + digits;
}

int lock_directory(const std::string& path) {
  const std::string file = path + "/" + kLockFile;
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (lock < 0) fail_to("open", file, errno);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const std::string holder = holder_of(lock);
    ::close(lock);
    if (error == EWOULDBLOCK) throw UserError(path + ": is in use by " + holder);
    throw UserError(file + ": cannot lock: " + errno_text(error));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock, 0) != 0 ||
      ::pwrite(lock, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    const int error = errno;
    ::close(lock);
    throw IoError(file + ": cannot write: " + errno_text(error));
  }
  return lock;
}

/// Without slashes at the end, and independent of the link when `path` is one (runs/latest may be
/// pointed elsewhere while this run goes on).
std::string settled_path(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  const std::filesystem::path target = std::filesystem::canonical(path, error);
  return error ? path : target.string();
}

}  // namespace

RunDirectory RunDirectory::create(const std::string& path, bool overwrite) {
  const std::string settled = settled_path(path);
  if (settled.empty()) throw UsageError("the run directory has an empty name");
  if (!path_exists(settled)) {
    make_new_directory(settled);
    return RunDirectory(settled, lock_directory(settled));
  }
  if (!is_directory(settled)) throw UserError(path + ": exists and is no directory");
  if (!overwrite) {
    throw UserError(path + ": exists already (want --resume to go on with it, --overwrite to " +
                    "start again, or another --output)");
  }
  if (!list_directory(settled).empty() && !path_exists(settled + "/" + kLockFile)) {
    throw UserError(path + ": is not the directory of a run; nothing in it was deleted");
  }
  RunDirectory run(settled, lock_directory(settled));
  remove_run_files(settled);
  return run;
}

RunDirectory RunDirectory::open(const std::string& path) {
  const std::string settled = settled_path(path);
  if (!path_exists(settled)) throw UserError(path + ": does not exist");
  if (!is_directory(settled)) throw UserError(path + ": is no directory");
  RunDirectory run(settled, lock_directory(settled));
  remove_unfinished(settled);
  return run;
}

void RunDirectory::require_unlocked(const std::string& path) {
  if (path_exists(path + "/" + kLockFile)) ::close(lock_directory(settled_path(path)));
}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept { *this = std::move(other); }

RunDirectory& RunDirectory::operator=(RunDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

std::string RunDirectory::file(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

void RunDirectory::write_text(std::string_view name, std::string_view text) const {
  write_file_atomically(file(name), text);
}

void RunDirectory::update_latest_link() const {
  std::error_code error;
  const std::filesystem::path full = std::filesystem::canonical(path_, error);
  if (error) throw IoError(path_ + ": cannot resolve: " + error.message());
  const std::string parent = full.parent_path().string();
  if (full.parent_path().filename() != "runs") return;
  replace_symlink(full.filename().string(), parent + "/latest");
}

void check_run_name(std::string_view name) {
  if (!is_safe_name(name) || name == "latest") {
    throw UsageError("bad run name '" + std::string(name) +
                     "' (want 1 to 64 of A-Z a-z 0-9 . _ -, no '.' in front, not latest)");
  }
}

}  // namespace linformer
