// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command_line.h"
#include "config/yaml_reader.h"

namespace linformer {

/// What can be told without tensors before an engine is started, so that mistakes show in
/// milliseconds: configuration, files that are missing, a run directory in the way, lengths that a
/// Linformer cannot take. Nothing is written. Throws UserError.
void preflight(const ParsedCommand& command);

/// Throws UserError unless `path` is a readable regular file.
void require_file(const std::string& path);

/// Throws DataError unless `path` is a directory or file that may be a tokenizer.
void require_tokenizer(const std::string& path);

/// The data files that the configuration names must be there. With `is_dry_run` naming none is
/// allowed.
void check_training_files(const LoadedConfig& loaded, bool is_dry_run);

}  // namespace linformer
