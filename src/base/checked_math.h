// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>

namespace linformer {

/// a * b, or nothing on overflow.
template <std::integral T>
std::optional<T> checked_multiply(T a, T b) {
  T result{};
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

/// a + b, or nothing on overflow.
template <std::integral T>
std::optional<T> checked_add(T a, T b) {
  T result{};
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

}  // namespace linformer
