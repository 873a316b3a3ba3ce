// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/child_process.h"

namespace linformer {

/// The child `wandb beta sync --live RUN`, which uploads a run of Weights & Biases while it is
/// written; its output goes to RUN/logs/upload.log. Whatever goes wrong with it is one warning that
/// names the command for later, `wandb sync RUN`. No member throws.
class WandbUpload {
 public:
  /// `run` is the offline-run-* directory, `log_path` its run-ID.wandb; wandb's own logs go to
  /// DIRECTORY/wandb.
  WandbUpload(std::string run, const std::string& log_path, const std::string& directory);

  /// Looks whether the child has ended before its time.
  void check();
  /// Call it after the log's exit record: waits at most `limit`, then ends the child.
  void finish(std::chrono::seconds limit);
  /// Ends the child of a log that will have no exit record.
  void abandon();

 private:
  /// Ends the child, too.
  void warn(const std::string& reason);

  std::string run_;
  std::string mark_;                     // the file that wandb makes when all is uploaded
  std::unique_ptr<ChildProcess> child_;  // none once a warning was given
};

}  // namespace linformer
