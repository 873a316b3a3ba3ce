// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/run_config.h"
#include "config/yaml_reader.h"

namespace linformer {

/// All options as YAML under their canonical names. Loading it gives the same configuration,
/// compatibility included; runs save it. Options that were not given and have no default
/// (model.projected_length of a vanilla model) are left out.
std::string print_config(const RunConfig& config);

/// The same with each option's origin in a comment.
std::string print_config(const LoadedConfig& loaded);

}  // namespace linformer
