// SPDX-License-Identifier: Apache-2.0
#include "storage/json_object.h"

#include <limits>
#include <utility>

#include "linformer/error.h"
#include "storage/limited_json.h"

namespace linformer {
namespace {

using nlohmann::json;

/// A number, or one of the names of what JSON cannot write.
std::optional<double> as_real(const json& value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (value.is_number()) return value.get<double>();
  if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value == "Infinity") return kInfinity;
  if (value == "-Infinity") return -kInfinity;
  return std::nullopt;
}

}  // namespace

JsonObject::JsonObject(std::shared_ptr<const json> root, const json* value, std::string place)
    : root_(std::move(root)), value_(value), place_(std::move(place)) {
  if (!value_->is_object()) throw DataError(place_ + ": is no JSON object");
}

JsonObject JsonObject::parse(std::string_view text, const std::string& place) {
  auto root = std::make_shared<const json>(parse_limited_json(text, place));
  const json* const value = root.get();
  return {std::move(root), value, place};
}

void JsonObject::fail(const std::string& name, std::string_view reason) const {
  throw DataError(place_ + ": " + name + " " + std::string(reason));
}

const json& JsonObject::member(const std::string& name) const {
  const auto found = value_->find(name);
  if (found == value_->end() || found->is_null()) fail(name, "is missing");
  return *found;
}

bool JsonObject::has(const std::string& name) const {
  const auto found = value_->find(name);
  return found != value_->end() && !found->is_null();
}

bool JsonObject::has_object(const std::string& name) const {
  return has(name) && member(name).is_object();
}

double JsonObject::real(const std::string& name) const {
  const std::optional<double> value = as_real(member(name));
  if (!value) fail(name, "is no number");
  return *value;
}

std::int64_t JsonObject::integer(const std::string& name) const {
  const json& value = member(name);
  if (!value.is_number_integer()) fail(name, "is no whole number");
  return value.get<std::int64_t>();
}

const std::string& JsonObject::text(const std::string& name) const {
  const json& value = member(name);
  if (!value.is_string()) fail(name, "is no text");
  return value.get_ref<const std::string&>();
}

bool JsonObject::flag(const std::string& name) const {
  const json& value = member(name);
  if (!value.is_boolean()) fail(name, "is neither true nor false");
  return value.get<bool>();
}

std::string JsonObject::text_or_empty(const std::string& name) const {
  return has(name) ? text(name) : "";
}

std::optional<double> JsonObject::real_if_any(const std::string& name) const {
  return has(name) ? std::optional(real(name)) : std::nullopt;
}

std::optional<std::int64_t> JsonObject::integer_if_any(const std::string& name) const {
  return has(name) ? std::optional(integer(name)) : std::nullopt;
}

JsonObject JsonObject::object(const std::string& name) const {
  return {root_, &member(name), place_ + ": " + name};
}

std::vector<JsonObject> JsonObject::objects(const std::string& name) const {
  const json& list = member(name);
  if (!list.is_array()) fail(name, "is no list");
  std::vector<JsonObject> out;
  for (const json& value : list) {
    out.push_back(
        JsonObject(root_, &value, place_ + ": " + name + "[" + std::to_string(out.size()) + "]"));
  }
  return out;
}

std::vector<double> JsonObject::reals(const std::string& name) const {
  const json& list = member(name);
  if (!list.is_array()) fail(name, "is no list");
  std::vector<double> out;
  for (const json& element : list) {
    const std::optional<double> value = as_real(element);
    if (!value) fail(name, "is no list of numbers");
    out.push_back(*value);
  }
  return out;
}

std::vector<std::string> JsonObject::named_texts() const {
  std::vector<std::string> out;
  for (const auto& [name, value] : value_->items()) {
    if (value.is_string()) out.push_back(name + " " + value.get_ref<const std::string&>());
  }
  return out;
}

}  // namespace linformer
