// SPDX-License-Identifier: Apache-2.0
#include "config/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "config/spelling.h"

namespace linformer {
namespace {

enum class Outcome { kOk, kWrongType, kOutOfRange, kUnknownName };

constexpr std::string_view kDigits = "0123456789";

/// [-+]?[0-9]+ without leading zeros: YAML 1.1 would read 010 as octal, 1.2 as ten.
bool looks_like_integer(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of(kDigits) != std::string_view::npos) return false;
  return text.size() == 1 || text.front() != '0';
}

/// YAML 1.2: [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool looks_like_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const auto digits = [&] {
    const std::size_t count = std::min(text.find_first_not_of(kDigits), text.size());
    text.remove_prefix(count);
    return count;
  };
  const std::size_t whole = digits();
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool is_special_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return is_one_of(text, {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF"});
}

template <typename T>
Outcome read_number(std::string_view text, T& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), out);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() ? Outcome::kOk
                                                                             : Outcome::kOutOfRange;
}

Outcome check_range(double value, const std::optional<Range>& range) {
  if (!std::isfinite(value)) return Outcome::kOutOfRange;
  if (!range) return Outcome::kOk;
  const bool is_low = range->above ? value <= range->low : value < range->low;
  return is_low || value > range->high ? Outcome::kOutOfRange : Outcome::kOk;
}

/// Stores a value into the member that an option stands for.
struct Setter {
  const Option& option;
  const RawValue& value;

  bool is_text_only() const { return value.kind == RawValue::Kind::kQuoted; }

  Outcome operator()(bool* member) const {
    const bool is_true = is_one_of(value.text, {"true", "True", "TRUE"});
    const bool is_false = is_one_of(value.text, {"false", "False", "FALSE"});
    if (is_text_only() || is_true == is_false) return Outcome::kWrongType;
    *member = is_true;
    return Outcome::kOk;
  }
  Outcome operator()(std::optional<bool>* member) const {
    bool read = false;
    const Outcome outcome = (*this)(&read);
    if (outcome == Outcome::kOk) *member = read;
    return outcome;
  }
  Outcome operator()(double* member) const {
    if (is_text_only()) return Outcome::kWrongType;
    if (is_special_number(value.text)) return Outcome::kOutOfRange;
    if (!looks_like_number(value.text)) return Outcome::kWrongType;
    return number(member);
  }
  Outcome operator()(std::int64_t* member) const { return integer(member); }
  Outcome operator()(std::uint64_t* member) const { return integer(member); }
  Outcome operator()(std::string* member) const {
    if (utf8_first_invalid(value.text)) return Outcome::kWrongType;
    *member = value.text;
    return Outcome::kOk;
  }
  Outcome operator()(const EnumMember& member) const {
    const auto found = std::ranges::find(member.names, value.text);
    if (found == member.names.end()) return Outcome::kUnknownName;
    member.set(static_cast<std::size_t>(found - member.names.begin()));
    return Outcome::kOk;
  }

 private:
  template <typename T>
  Outcome integer(T* member) const {
    if (is_text_only() || !looks_like_integer(value.text)) return Outcome::kWrongType;
    return number(member);
  }
  template <typename T>
  Outcome number(T* member) const {
    T read{};
    Outcome outcome = read_number(value.text, read);
    if (outcome == Outcome::kOk) outcome = check_range(static_cast<double>(read), option.range);
    if (outcome == Outcome::kOk) *member = read;
    return outcome;
  }
};

std::string shown(const RawValue& value) {
  constexpr std::size_t kMaxShown = 60;
  switch (value.kind) {
    case RawValue::Kind::kNull:
      return "nothing (null)";
    case RawValue::Kind::kList:
      return "a list";
    case RawValue::Kind::kMap:
      return "a section";
    default:
      break;
  }
  std::string text =
      value.text.size() > kMaxShown ? value.text.substr(0, kMaxShown) + "..." : value.text;
  if (value.kind == RawValue::Kind::kQuoted) return "\"" + text + "\" in quotes";
  return text.empty() ? "nothing" : text;
}

std::string hint(const Option& option, const RawValue& value) {
  if (const auto* names = std::get_if<EnumMember>(&option.member)) {
    const std::string_view near =
        nearest(value.text, names->names, std::max<std::size_t>(value.text.size() / 2, 1));
    return near.empty() ? "" : "; did you mean " + std::string(near) + "?";
  }
  const bool is_bool = std::holds_alternative<bool*>(option.member) ||
                       std::holds_alternative<std::optional<bool>*>(option.member);
  if (is_bool && is_one_of(value.text, {"yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON",
                                        "off", "Off", "OFF"})) {
    return "; YAML 1.2 reads " + value.text + " as text";
  }
  return "";
}

}  // namespace

std::optional<std::string> set_option(const Option& option, const RawValue& value,
                                      std::string_view spelling) {
  const bool is_scalar = value.kind != RawValue::Kind::kNull &&
                         value.kind != RawValue::Kind::kList && value.kind != RawValue::Kind::kMap;
  const Outcome outcome =
      is_scalar ? std::visit(Setter{option, value}, option.member) : Outcome::kWrongType;
  std::string_view complaint;
  switch (outcome) {
    case Outcome::kOk:
      return std::nullopt;
    case Outcome::kWrongType:
      complaint = " has the wrong type";
      break;
    case Outcome::kOutOfRange:
      complaint = " is out of range";
      break;
    case Outcome::kUnknownName:
      complaint = " is not a known name";
      break;
  }
  return std::string(spelling) + std::string(complaint) + " (got " + shown(value) + ", want " +
         option.wanted() + hint(option, value) + ")";
}

}  // namespace linformer
