// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "config/run_config.h"

namespace linformer {

/// One option whose value differs between two configurations, values as print_config writes them
/// ("(none)" where it writes none).
struct ChangedOption {
  std::string key;
  std::string old_value;
  std::string new_value;
};

/// How the configuration of a resumed run differs from the one it was started with.
struct ResumeComparison {
  std::vector<ChangedOption> refused;  // they decide the numbers of the run
  std::vector<ChangedOption>
      allowed;  // training.epochs, training.max_steps, checkpoint.*, tracking.* and the like
};

ResumeComparison compare_for_resume(const RunConfig& old_config, const RunConfig& new_config);

/// Throws ConfigError naming the first refused option, its values in the run and in the new
/// configuration, and the options that may change. `run` is the run directory, for the message.
void require_resumable(const RunConfig& old_config, const RunConfig& new_config,
                       const std::string& run);

}  // namespace linformer
