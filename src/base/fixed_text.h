// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <string>

namespace linformer {

/// `value` with `digits` decimals, whatever the locale.
inline std::string fixed(double value, int digits) {
  std::array<char, 384> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value,
                                    std::chars_format::fixed, digits);
  return {text.data(), result.ptr};
}

}  // namespace linformer
