// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpoint_transaction.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/digest.h"
#include "base/fault.h"
#include "base/file.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

/// The files of a generation on the disk that its manifest does not list.
std::set<std::string> unlisted_files(const std::string& path, const Manifest& manifest) {
  std::set<std::string> out;
  for (const std::string& name : list_directory(path)) {
    if (name != kManifestFile && !manifest.files.contains(name)) out.insert(name);
  }
  return out;
}

/// Removes a generation whose manifest can be read. It leaves the list of generations in one step,
/// so that no crash shows it half removed. Returns why it was kept, or nothing.
std::string remove_generation(const Generation& generation) {
  try {
    const Manifest manifest = read_manifest(generation.path);
    const std::set<std::string> others = unlisted_files(generation.path, manifest);
    if (!others.empty()) {
      return generation.path + ": kept, it holds a file of someone else: " + *others.begin();
    }
    const std::string trash = random_name(generation.path + ".tmp-");
    rename_path(generation.path, trash);
    for (const auto& [name, digest] : manifest.files) remove_file(trash + "/" + name);
    remove_file(trash + "/" + std::string(kManifestFile));
    remove_empty_directory(trash);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool is_good(const Generation& generation, bool verified) {
  try {
    if (verified) {
      verify_generation(generation.path);
    } else {
      read_manifest(generation.path);
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

constexpr std::int64_t kVerified = 2;  // how many are read again before an older one goes

/// Keeps the generation just saved, the best, and the newest until `keep` good ones are found, of
/// which the first two are verified and the others looked at no further than their manifests. A
/// damaged one that is newer than these stays as well: it costs space only, and may be evidence.
std::string prune(const std::string& run_directory, std::int64_t saved_step, std::int64_t keep) {
  std::string warning;
  try {
    const std::optional<BestRecord> best = read_best(run_directory);
    std::int64_t num_kept = 0;
    for (const Generation& generation : list_generations(run_directory)) {
      const bool is_saved = generation.step == saved_step;
      if (num_kept < keep) {
        if (is_saved || is_good(generation, num_kept < kVerified)) ++num_kept;
      } else if (!is_saved && !(best && best->step == generation.step)) {
        const std::string reason = remove_generation(generation);
        if (!reason.empty()) warning = reason;
      }
    }
    sync_directory(run_directory);
  } catch (const Error& error) {
    warning = error.what();
  }
  return warning;
}

}  // namespace

/// One file of the generation: hashed while it is written, synced when it is closed.
class CheckpointTransaction::File {
 public:
  explicit File(std::string path) : path_(std::move(path)) {
    fault_point("open");
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_io(path_, "create", errno);
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(std::string_view data) {
    write_fully(descriptor_, data, path_);
    sha_.update(data);
    size_ += data.size();
  }

  FileDigest finish() {
    fault_point("fsync");
    if (::fsync(descriptor_) != 0) throw_io(path_, "sync", errno);
    fault_point("close");
    if (::close(std::exchange(descriptor_, -1)) != 0) throw_io(path_, "close", errno);
    return {.size = size_, .sha256 = sha_.hex()};
  }

 private:
  std::string path_;
  Sha256 sha_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

CheckpointTransaction::CheckpointTransaction(const std::string& run_directory, std::int64_t step,
                                             std::function<void()> poll)
    : run_directory_(run_directory), step_(step), poll_(std::move(poll)) {
  LF_CHECK(step >= 0, "step of a checkpoint");
  const std::string path = random_name(run_directory + "/step-" + std::to_string(step) + ".tmp-");
  make_directory(path);
  temporary_ = path;
}

CheckpointTransaction::~CheckpointTransaction() {
  if (!temporary_.empty()) discard_directory(temporary_);
}

void CheckpointTransaction::add(const std::string& name, std::span<const TensorView> tensors,
                                const TensorMetadata& metadata) {
  for (const TensorView& tensor : tensors) {
    const std::int64_t index = first_non_finite(tensor);
    if (index >= 0) {
      throw DivergenceError("step " + std::to_string(step_) + " is not saved: " + name +
                            " tensor " + json_string(tensor.name) +
                            " is not finite at flat index " + std::to_string(index));
    }
  }
  LF_CHECK(is_safe_name(name) && name != kManifestFile && !files_.contains(name), name);
  File file(temporary_ + "/" + name);
  const auto write = [&](std::string_view piece) {
    if (poll_) poll_();
    file.write(piece);
  };
  write_safetensors(write, tensors, metadata);
  files_[name] = file.finish();
}

void CheckpointTransaction::add_text(const std::string& name, std::string_view text) {
  LF_CHECK(is_safe_name(name) && name != kManifestFile && !files_.contains(name), name);
  File file(temporary_ + "/" + name);
  file.write(text);
  files_[name] = file.finish();
}

CommitResult CheckpointTransaction::commit(std::int64_t keep) {
  LF_CHECK(!temporary_.empty() && keep >= 1, "commit of a checkpoint");
  const Manifest manifest{.step = step_, .files = files_};
  File file(temporary_ + "/" + std::string(kManifestFile));
  file.write(manifest_text(manifest));
  CommitResult result;
  result.bytes = file.finish().size;
  for (const auto& [name, digest] : files_) result.bytes += digest.size;
  fault_point("sync_directory");
  sync_directory(temporary_);
  fault_point("verify");
  try {
    verify_generation(temporary_);
  } catch (const UserError& error) {
    throw IoError(std::string("checkpoint was not written as it should be: ") + error.what());
  }
  result.generation = {.path = run_directory_ + "/step-" + std::to_string(step_), .step = step_};
  publish(result.generation.path);
  result.warning = prune(run_directory_, step_, keep);
  return result;
}

void CheckpointTransaction::publish(const std::string& final_path) {
  if (!path_exists(final_path)) {
    rename_path(temporary_, final_path);
    temporary_.clear();
    fault_point("sync_directory");
    sync_directory(run_directory_);
    return;
  }
  exchange_directories(temporary_, final_path);
  // The old content is removed only when the exchange cannot be undone by a power loss.
  const std::string old = std::exchange(temporary_, "");
  fault_point("sync_directory");
  sync_directory(run_directory_);
  Manifest replaced;
  try {
    replaced = read_manifest(old);
  } catch (const CheckpointError&) {
  }
  for (const std::string& name : unlisted_files(old, replaced)) {
    if (!path_exists(final_path + "/" + name)) {
      rename_path(old + "/" + name, final_path + "/" + name);
    }
  }
  discard_directory(old);
}

}  // namespace linformer
