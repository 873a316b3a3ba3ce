// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

namespace linformer {

// How options are declared: every config struct has plain members with defaults and one
//   static void visit_fields(auto& self, auto& field)
// that calls field("name", self.member, TAG..., "help") for a value and
// field.section("name", self.member, [Alias,] "help") for a nested struct. That list IS the schema:
// parser, overrides, ranges, printer, `config schema` and the unknown-key error all read it
// (config/option.h). The member's type is its parser: std::int64_t, std::uint64_t, double, bool,
// std::string, an enum with EnumNames, std::optional<bool>. TAGs, in any order: Alias, Original,
// Range, Required, MayChange.

/// A second spelling, that of the original YAML files. Giving both spellings is an error.
struct Alias {
  std::string_view name;
};

/// The original's YAML files have the option too, under this very name.
struct Original {};

/// Allowed values, both ends included unless `above` (then low itself is refused). A default
/// outside of the range means "not given": such a value is not printed and cannot be written.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above = false;
};

/// No default: leaving the option out of every layer is an error that shows `example`.
struct Required {
  std::string_view example;
};

/// A resumed run may change it.
struct MayChange {};

/// Spellings of an enum, specialised beside it: static constexpr std::array<std::pair<E,
/// std::string_view>, N> kValues.
template <typename E>
struct EnumNames;

/// The spelling of `value`.
template <typename E>
constexpr std::string_view enum_name(E value) {
  for (const auto& [candidate, name] : EnumNames<E>::kValues) {
    if (candidate == value) return name;
  }
  return "?";
}

}  // namespace linformer
