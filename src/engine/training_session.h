// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "cli/options.h"
#include "config/run_config.h"
#include "tracking/record.h"

namespace linformer {

/// What `train` and `demo` ask for.
struct SessionRequest {
  RunConfig config;
  std::string run_directory;
  bool overwrite = false;
  bool resume = false;         // go on from the newest generation that verifies
  bool resume_if_any = false;  // the same, or start anew where there is none
  bool allow_inexact = false;
  std::string init;  // checkpoint whose weights the run starts from; empty = random
  CommonOptions common;
};

struct SessionResult {
  FinalRecord final_record;
  std::optional<ValidationRecord> last_validation;  // none where all steps were done before
  std::string run_directory;
  std::string averaged;  // checkpoint with the averaged weights; empty = none
};

/// Builds model, data, optimizer and sinks from the configuration and trains to the end (or until a
/// signal: Interrupted, after a save).
SessionResult run_training_session(const SessionRequest& request);

}  // namespace linformer
