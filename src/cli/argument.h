// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/field.h"

namespace linformer {

/// Where the value of an argument goes: its type is its parser. A bool is a switch; an optional
/// string is a flag whose value may be left out.
using ArgumentTarget = std::variant<bool*, std::string*, std::optional<std::string>*, std::int64_t*,
                                    double*, std::vector<std::string>*, std::vector<std::int64_t>*>;

/// One flag ("--config") or positional ("CORPUS") of a verb. Help, parser and completion read the
/// same list.
struct Argument {
  std::string_view name;
  std::string_view metavar;  // "FILE"; empty for a switch and for a positional
  ArgumentTarget target;
  std::string_view help;
  std::optional<Range> range{};
  std::vector<std::string_view> choices{};
  bool required = false;

  bool is_positional() const { return !name.starts_with('-'); }
  bool is_switch() const { return std::holds_alternative<bool*>(target); }
  bool is_list() const;
  bool has_optional_value() const {
    return std::holds_alternative<std::optional<std::string>*>(target);
  }
  /// "0.5", "drop": the value of the target now; empty where it says nothing (0 and "" mean "not
  /// given").
  std::string default_text() const;
  /// "a whole number from 1 to 1024", "error, skip or keep", "a value".
  std::string wanted() const;
};

/// Stores what the command line gives. Throws UsageError "--threads two (want a whole number from 1
/// to 1024)".
void store_values(const Argument& argument, const std::vector<std::string>& values);

}  // namespace linformer
