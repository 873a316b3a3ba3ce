// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/run_config.h"

namespace linformer {

/// An option as dashboards know it: a name, a number or a truth value.
using ConfigValue = std::variant<bool, double, std::string>;

/// Every option that has a value, as ("training.lr_scheduler.min_lr", 0.001), in the order of the
/// schema.
std::vector<std::pair<std::string, ConfigValue>> config_values(const RunConfig& config);

/// The same as one JSON object for each top-level key, sections nested:
/// ("model", "{\"type\":\"Linformer\",...}").
std::vector<std::pair<std::string, std::string>> config_json(const RunConfig& config);

}  // namespace linformer
