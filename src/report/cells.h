// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "base/fixed_text.h"

namespace linformer {

/// What stands for a value that no file holds.
inline constexpr char kNone[] = "-";

/// A cell with `digits` decimals.
inline std::string cell(const std::optional<double>& value, int digits) {
  return value && std::isfinite(*value) ? fixed(*value, digits) : kNone;
}
inline std::string cell(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : kNone;
}
inline std::string cell(const std::string& text) { return text.empty() ? kNone : text; }

/// A share as a percentage.
inline std::string percent_cell(const std::optional<double>& share) {
  return share ? fixed(100.0 * *share, 1) + " %" : kNone;
}

/// A positive number with three significant digits and no exponent: "0.0123", "12.3", "1234".
inline std::string three_digits(double value) {
  const double size = std::abs(value);
  const int before = size > 0 ? static_cast<int>(std::floor(std::log10(size))) + 1 : 1;
  return fixed(value, before >= 3 ? 0 : 3 - before);
}

}  // namespace linformer
