// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"

namespace linformer {

// What `train` asks for, derived from its options in one way for the front, which checks it, and
// the engine, which does it.

/// The overrides of the command line, then those that --train, --validation, --tokenizer and
/// --smoke stand for. --smoke replaces overrides of training.max_steps and training.log_every.
std::vector<std::string> config_overrides(const TrainOptions& options);

/// --output; else the directory of --resume DIR; else runs/NAME, where NAME is --name or the
/// configuration's file name without its ending, "-smoke" added to the latter by --smoke. Throws
/// UsageError for a name that is no run name.
std::string run_directory_of(const TrainOptions& options);

}  // namespace linformer
