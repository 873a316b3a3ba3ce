// SPDX-License-Identifier: Apache-2.0
#include "cli/argument.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "config/number_text.h"
#include "config/spelling.h"
#include "linformer/error.h"

namespace linformer {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;  // clang 14 deduces none for an aggregate

std::string shortened(const std::string& text) {
  constexpr std::size_t kMaxShown = 60;
  return text.size() > kMaxShown ? text.substr(0, kMaxShown) + "..." : text;
}

[[noreturn]] void refuse(const Argument& argument, const std::string& value,
                         const std::string& hint = "") {
  throw UsageError(std::string(argument.name) + " " + shortened(value) + " (want " +
                   argument.wanted() + hint + ")");
}

/// The whole of `text` as a number in the argument's range: no sign but '-', no exponent for whole
/// numbers, finite.
template <typename T>
T number(const Argument& argument, const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || text.empty()) refuse(argument, text);
  const auto wide = static_cast<double>(value);
  if (!std::isfinite(wide)) refuse(argument, text);
  if (argument.range) {
    const bool is_low =
        argument.range->above ? wide <= argument.range->low : wide < argument.range->low;
    if (is_low || wide > argument.range->high) refuse(argument, text);
  }
  return value;
}

std::string checked_text(const Argument& argument, const std::string& text) {
  if (text.empty()) throw UsageError(std::string(argument.name) + " needs " + argument.wanted());
  if (argument.choices.empty() ||
      std::ranges::find(argument.choices, text) != argument.choices.end())
    return text;
  const std::string_view near = nearest(text, argument.choices, tolerated_edits(text));
  refuse(argument, text, near.empty() ? "" : "; did you mean " + std::string(near) + "?");
}

std::vector<std::int64_t> numbers(const Argument& argument, const std::string& text) {
  std::vector<std::int64_t> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    out.push_back(number<std::int64_t>(argument, text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return out;
}

}  // namespace

bool Argument::is_list() const { return std::holds_alternative<std::vector<std::string>*>(target); }

std::string Argument::default_text() const {
  return std::visit(
      Overloaded{
          [](const std::string* value) { return *value; },
          [](const std::int64_t* value) { return *value == 0 ? "" : std::to_string(*value); },
          [](const double* value) { return *value == 0 ? "" : number_text(*value); },
          [](const auto*) { return std::string(); }},
      target);
}

std::string Argument::wanted() const {
  if (!choices.empty()) {
    std::string out;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (i > 0) out += i + 1 == choices.size() ? " or " : ", ";
      out += choices[i];
    }
    return out;
  }
  std::string out = "a value";
  if (std::holds_alternative<std::int64_t*>(target)) out = "a whole number";
  if (std::holds_alternative<std::vector<std::int64_t>*>(target))
    out = "whole numbers separated by commas, each";
  if (std::holds_alternative<double*>(target)) out = "a number";
  if (!range)
    return out == "a value" && !metavar.empty() ? "a value (" + std::string(metavar) + ")" : out;
  if (range->low == range->high) return number_text(range->low);
  if (range->above)
    return out + " above " + number_text(range->low) + ", at most " + number_text(range->high);
  return out + " from " + number_text(range->low) + " to " + number_text(range->high);
}

void store_values(const Argument& argument, const std::vector<std::string>& values) {
  std::visit(
      Overloaded{
          [&](bool* value) { *value = true; },
          [&](std::string* value) { *value = checked_text(argument, values.front()); },
          [&](std::optional<std::string>* value) { *value = values.front(); },
          [&](std::int64_t* value) { *value = number<std::int64_t>(argument, values.front()); },
          [&](double* value) { *value = number<double>(argument, values.front()); },
          [&](std::vector<std::string>* value) { *value = values; },
          [&](std::vector<std::int64_t>* value) { *value = numbers(argument, values.front()); }},
      argument.target);
}

}  // namespace linformer
