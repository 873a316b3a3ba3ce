// SPDX-License-Identifier: Apache-2.0
#include "tracking/config_values.h"

#include <algorithm>
#include <optional>
#include <type_traits>

#include "config/option.h"
#include "nlohmann/json.hpp"

namespace linformer {
namespace {

ConfigValue value_of(const OptionMember& member) {
  return std::visit(
      [](const auto& held) -> ConfigValue {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, EnumMember>) {
          return std::string(held.names[held.get()]);
        } else if constexpr (std::is_same_v<T, std::optional<bool>*>) {
          return held->value_or(false);  // an unset one is left out before
        } else if constexpr (std::is_same_v<T, std::int64_t*> ||
                             std::is_same_v<T, std::uint64_t*>) {
          return static_cast<double>(*held);
        } else {
          return *held;
        }
      },
      member);
}

nlohmann::ordered_json json_of(const Option& option) {
  return std::visit(
      [&option](const auto& held) -> nlohmann::ordered_json {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::int64_t*> || std::is_same_v<T, std::uint64_t*>) {
          return *held;
        } else {
          return std::visit([](const auto& value) { return nlohmann::ordered_json(value); },
                            value_of(option.member));
        }
      },
      option.member);
}

}  // namespace

std::vector<std::pair<std::string, ConfigValue>> config_values(const RunConfig& config) {
  RunConfig copy = config;
  std::vector<std::pair<std::string, ConfigValue>> out;
  for (const Option& option : schema_of(copy).options) {
    if (option.value_text()) out.emplace_back(option.key, value_of(option.member));
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> config_json(const RunConfig& config) {
  RunConfig copy = config;
  nlohmann::ordered_json root;
  for (const Option& option : schema_of(copy).options) {
    if (!option.value_text()) continue;
    std::string pointer = "/" + option.key;
    std::ranges::replace(pointer, '.', '/');
    root[nlohmann::ordered_json::json_pointer(pointer)] = json_of(option);
  }
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : root.items()) {
    out.emplace_back(key, value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  return out;
}

}  // namespace linformer
