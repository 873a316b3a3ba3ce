// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/run_config.h"
#include "linformer/error.h"

namespace linformer {

/// Who gave an option its value. Later ones win, and a later layer replaces an earlier one key by
/// key.
enum class Layer { kDefault, kCompatibility, kFile, kEnvironment, kCommandLine };

/// Where the value of one option comes from.
struct Origin {
  Layer layer = Layer::kDefault;
  Place key;             // kFile: where the key is written
  Place value;           // kFile: where its value is written
  std::string variable;  // kEnvironment: the variable's name
  std::string spelling;  // the path as the user wrote it; the canonical one where nobody did

  /// "default", "compatibility", "configs/x.yaml:7", "LINFORMER_TRAINING__EPOCHS" or "command
  /// line".
  std::string text() const;
};

/// A complete configuration, checked, with the origin of every option (by canonical path,
/// "model.model_dim").
struct LoadedConfig {
  RunConfig config;
  std::map<std::string, Origin> origins;

  /// True when some layer gave the option.
  bool is_given(const std::string& key) const;
};

/// Reads `path`, then LINFORMER_SECTION__KEY variables (LINFORMER_TRAINING__LR_SCHEDULER__MIN_LR),
/// then `overrides`
/// ("model.k=64", any accepted spelling), and finishes the result:
/// - compatibility mode is what `compatibility` says, else on when every key of the FILE under
/// model and training is
///   spelled as in the original's YAML files; then options that nobody gave take the original's
///   values;
/// - of training.batch_size and training.batch_tokens the one of the later layer decides;
/// - model.max_length, model.compatibility and compatibility are set, all options checked one by
/// one and together. Throws ConfigError (UserError when the file cannot be read) whose text names
/// FILE:LINE:COL, the option as it was spelled, what was got and what is wanted. Anchors, aliases,
/// tags, merge keys, duplicate keys, second documents, depth over 8 and files over 1 MB are refused
/// before a tree exists.
LoadedConfig load_run_config(const std::string& path,
                             const std::vector<std::string>& overrides = {});

/// The same for a configuration that a run saved: no environment, no overrides.
LoadedConfig load_saved_config(const std::string& path);

/// The same for YAML text that is not in a file of its own; errors call it `name`.
LoadedConfig parse_run_config(std::string_view yaml, const std::string& name,
                              const std::vector<std::string>& overrides = {});

}  // namespace linformer
