// SPDX-License-Identifier: Apache-2.0
#include "storage/json_state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "base/utf8.h"
#include "linformer/error.h"
#include "storage/limited_json.h"

namespace linformer {
namespace {

using nlohmann::json;

void require_finite(const std::string& name, double value) {
  if (!std::isfinite(value)) {
    throw DivergenceError("state " + name + " is not finite (got " + real_text(value) + ")");
  }
}

std::string value_text(std::int64_t value) { return std::to_string(value); }
std::string value_text(std::uint64_t value) { return std::to_string(value); }
std::string value_text(double value) { return real_text(value); }
std::string value_text(const std::string& value) { return json_string(value); }
std::string value_text(bool value) { return value ? "true" : "false"; }

template <typename T>
std::string value_text(const std::vector<T>& values) {
  std::string out = "[";
  for (const T value : values) {
    if (out.size() > 1) out += ", ";
    out += value_text(value);
  }
  return out + "]";
}

bool is_int64(const json& value) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return value.is_number_integer() &&
         (!value.is_number_unsigned() || value.get<std::uint64_t>() <= kMax);
}

void set_list(JsonState& state, const std::string& name, const json& list,
              const std::string& place) {
  const auto is_real = [](const json& value) { return value.is_number_float(); };
  if (std::all_of(list.begin(), list.end(), is_int64)) {
    state.set_ints(name, list.get<std::vector<std::int64_t>>());
  } else if (std::all_of(list.begin(), list.end(), is_real)) {
    state.set_reals(name, list.get<std::vector<double>>());
  } else {
    throw CheckpointError(place + ": " + name + " is no list of integers or of real numbers");
  }
}

}  // namespace

void JsonState::set_int(const std::string& name, std::int64_t value) { values_[name] = value; }

void JsonState::set_uint(const std::string& name, std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    values_[name] = static_cast<std::int64_t>(value);
  } else {
    values_[name] = value;
  }
}

void JsonState::set_real(const std::string& name, double value) {
  require_finite(name, value);
  values_[name] = value;
}

void JsonState::set_text(const std::string& name, std::string value) {
  values_[name] = std::move(value);
}

void JsonState::set_bool(const std::string& name, bool value) { values_[name] = value; }

void JsonState::set_ints(const std::string& name, std::vector<std::int64_t> values) {
  values_[name] = std::move(values);
}

void JsonState::set_reals(const std::string& name, std::vector<double> values) {
  for (const double value : values) require_finite(name, value);
  values_[name] = std::move(values);
}

template <typename T>
const T& JsonState::get(const std::string& name, std::string_view type) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw CheckpointError(place_ + ": " + name + " is missing");
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) {
    throw CheckpointError(place_ + ": " + name + " has another type (want " + std::string(type) +
                          ")");
  }
  return *value;
}

std::int64_t JsonState::get_int(const std::string& name) const {
  return get<std::int64_t>(name, "an integer");
}

std::uint64_t JsonState::get_uint(const std::string& name) const {
  const auto found = values_.find(name);
  if (found != values_.end() && std::holds_alternative<std::uint64_t>(found->second)) {
    return std::get<std::uint64_t>(found->second);
  }
  const std::int64_t value = get<std::int64_t>(name, "an integer >= 0");
  if (value < 0) {
    throw CheckpointError(place_ + ": " + name + " is negative (got " + std::to_string(value) +
                          ", want an integer >= 0)");
  }
  return static_cast<std::uint64_t>(value);
}

double JsonState::get_real(const std::string& name) const {
  return get<double>(name, "a real number");
}

const std::string& JsonState::get_text(const std::string& name) const {
  return get<std::string>(name, "a string");
}

bool JsonState::get_bool(const std::string& name) const { return get<bool>(name, "true or false"); }

std::vector<std::int64_t> JsonState::get_ints(const std::string& name) const {
  return get<std::vector<std::int64_t>>(name, "a list of integers");
}

std::vector<double> JsonState::get_reals(const std::string& name) const {
  // An empty list in a file tells nothing of its type.
  const auto found = values_.find(name);
  if (found != values_.end()) {
    const auto* ints = std::get_if<std::vector<std::int64_t>>(&found->second);
    if (ints != nullptr && ints->empty()) return {};
  }
  return get<std::vector<double>>(name, "a list of real numbers");
}

std::string JsonState::text() const {
  std::string out = "{";
  for (const auto& [name, value] : values_) {
    out += out.size() > 1 ? ",\n  " : "\n  ";
    out += json_string(name) + ": ";
    out += std::visit([](const auto& held) { return value_text(held); }, value);
  }
  return out + "\n}\n";
}

JsonState JsonState::parse(std::string_view text, const std::string& place) {
  const json root = parse_limited_json(text, place, 0, {.depth = 2, .values = 10000000});
  if (!root.is_object()) throw CheckpointError(place + ": is no JSON object");
  JsonState state;
  state.place_ = place;
  for (const auto& [name, value] : root.items()) {
    if (value.is_boolean()) {
      state.set_bool(name, value.get<bool>());
    } else if (value.is_number_unsigned()) {
      state.set_uint(name, value.get<std::uint64_t>());
    } else if (value.is_number_integer()) {
      state.set_int(name, value.get<std::int64_t>());
    } else if (value.is_number_float()) {
      state.set_real(name, value.get<double>());
    } else if (value.is_string()) {
      state.set_text(name, value.get<std::string>());
    } else if (value.is_array()) {
      set_list(state, name, value, place);
    } else {
      throw CheckpointError(place + ": " + name + " has a type that no state has");
    }
  }
  return state;
}

std::string real_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string out(buffer.data(), result.ptr);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::string json_string(std::string_view text) { return json(utf8_replace_invalid(text)).dump(); }

}  // namespace linformer
