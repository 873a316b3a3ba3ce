// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"

namespace linformer {

/// A JSON object from a file, whose members are asked for by name and type. A null counts as
/// missing; NaN and infinities may be written as the strings "NaN", "Infinity", "-Infinity".
/// Getters throw DataError "PLACE: NAME is missing" or "PLACE: NAME is no number".
class JsonObject {
 public:
  /// `text` must be one JSON object; throws CheckpointError "PLACE@OFFSET: reason" (limited_json.h)
  /// and DataError when it is something else. `place` (a path, or PATH:LINE) is named in errors.
  static JsonObject parse(std::string_view text, const std::string& place);

  bool has(const std::string& name) const;
  double real(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  bool flag(const std::string& name) const;
  /// Empty where it is missing or null.
  std::string text_or_empty(const std::string& name) const;
  std::optional<double> real_if_any(const std::string& name) const;
  std::optional<std::int64_t> integer_if_any(const std::string& name) const;
  JsonObject object(const std::string& name) const;
  /// Elements that must be objects.
  std::vector<JsonObject> objects(const std::string& name) const;
  std::vector<double> reals(const std::string& name) const;
  /// "NAME VALUE" of every member that is a string, sorted by name.
  std::vector<std::string> named_texts() const;
  /// True where the member is there and an object.
  bool has_object(const std::string& name) const;

  const std::string& place() const { return place_; }

 private:
  JsonObject(std::shared_ptr<const nlohmann::json> root, const nlohmann::json* value,
             std::string place);
  const nlohmann::json& member(const std::string& name) const;
  [[noreturn]] void fail(const std::string& name, std::string_view reason) const;

  std::shared_ptr<const nlohmann::json> root_;  // owns what value_ points into
  const nlohmann::json* value_;
  std::string place_;
};

}  // namespace linformer
