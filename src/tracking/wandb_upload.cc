// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_upload.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "linformer/error.h"
#include "storage/file_tree.h"

namespace linformer {
namespace {

/// Waits of at most this long are not worth a line.
constexpr std::chrono::seconds kSilentWait{1};

std::string output_path(const std::string& run) { return run + "/logs/upload.log"; }

}  // namespace

WandbUpload::WandbUpload(std::string run, const std::string& log_path, const std::string& directory)
    : run_(std::move(run)), mark_(log_path + ".synced") {
  try {
    child_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"wandb", "beta", "sync", "--live", run_}, output_path(run_),
        ChildProcess::Environment{{"WANDB_DIR", directory}});
    log_info("W&B: uploading " + run_);
  } catch (const IoError& error) {
    warn(error.what());
  }
}

void WandbUpload::warn(const std::string& reason) {
  child_.reset();
  log_warning("W&B: " + reason + "; 'wandb sync " + run_ +
              "' uploads the run, training is not affected");
}

void WandbUpload::check() {
  if (!child_) return;
  if (const std::optional<int> code = child_->wait(std::chrono::milliseconds(0))) {
    warn("the upload ended early with exit code " + std::to_string(*code) + " (see " +
         output_path(run_) + ")");
  }
}

void WandbUpload::finish(std::chrono::seconds limit) {
  if (!child_) return;
  std::optional<int> code = child_->wait(kSilentWait);
  if (!code) {
    log_info("W&B: waiting up to " + std::to_string(limit.count()) + " s for the upload");
    code = child_->wait(limit - kSilentWait);
  }
  if (!code) {
    warn("the upload took too long and was ended");
  } else if (*code != 0 || !path_exists(mark_)) {  // without a key it does nothing and exits with 0
    warn("the upload failed with exit code " + std::to_string(*code) + " (see " +
         output_path(run_) + ")");
  } else {
    child_.reset();
    log_info("W&B: uploaded " + run_);
  }
}

void WandbUpload::abandon() {
  if (child_) warn("the upload was ended");
}

}  // namespace linformer
