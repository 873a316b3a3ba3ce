// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace linformer {

/// The configuration inside a config.yaml of Weights & Biases, as YAML: every map whose only key is
/// `value` stands for that value, at any depth; the service's own entries (_wandb, wandb_version)
/// and lists, which no option of ours is, are left out. Throws ConfigError calling the file `name`,
/// as parse_yaml does.
std::string without_nested_values(std::string_view bytes, const std::string& name);

}  // namespace linformer
