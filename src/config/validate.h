// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "config/yaml_reader.h"

namespace linformer {

/// "configs/x.yaml:7:3: ", "LINFORMER_MODEL__K: " or "command line: ": how a complaint about the
/// option's value starts; `file` and a colon where it was not given.
std::string complaint_start(const LoadedConfig& loaded, const std::string& key,
                            const std::string& file);

/// The option as the user spelled it, the original's spelling where nobody gave it.
std::string spelled(const LoadedConfig& loaded, const std::string& key);

/// Checks what options say together (single ones are checked when they are read): required ones,
/// sizes that must divide, the rules of a Linformer's k, learning rates, pairs of files, memory
/// that no machine has. `file` names the configuration. Throws ConfigError.
void validate(const LoadedConfig& loaded, const std::string& file);

}  // namespace linformer
