// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/option.h"

namespace linformer {

/// A scalar as it was written. kPlain follows the YAML 1.2 core types, kQuoted is text whatever it
/// looks like, kVerbatim (command line, environment) is read as the option's type asks.
struct RawValue {
  enum class Kind { kPlain, kQuoted, kVerbatim, kNull, kList, kMap };
  Kind kind = Kind::kVerbatim;
  std::string text;
};

/// Reads `value` as the option's type and range want and stores it. Returns the complaint instead
/// when it is not that: "model.dim is out of range (got 0, want an integer from 2 to 65536)", with
/// the path as `spelling` says.
std::optional<std::string> set_option(const Option& option, const RawValue& value,
                                      std::string_view spelling);

}  // namespace linformer
