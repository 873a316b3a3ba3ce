// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace linformer {

/// A flat JSON object of exact values, for the state of a run. std only, so that tensor code can
/// use it. Numbers are written in their shortest form that reads back to the same bits; NaN and
/// infinity are refused.
class JsonState {
 public:
  void set_int(const std::string& name, std::int64_t value);
  void set_uint(const std::string& name, std::uint64_t value);
  /// Throws DivergenceError naming `name` when the value is not finite.
  void set_real(const std::string& name, double value);
  void set_text(const std::string& name, std::string value);
  void set_bool(const std::string& name, bool value);
  void set_ints(const std::string& name, std::vector<std::int64_t> values);
  void set_reals(const std::string& name, std::vector<double> values);

  bool has(const std::string& name) const { return values_.contains(name); }

  // Each throws CheckpointError naming the place and the key when it is missing or of another type.
  std::int64_t get_int(const std::string& name) const;
  std::uint64_t get_uint(const std::string& name) const;
  double get_real(const std::string& name) const;
  const std::string& get_text(const std::string& name) const;
  bool get_bool(const std::string& name) const;
  std::vector<std::int64_t> get_ints(const std::string& name) const;
  std::vector<double> get_reals(const std::string& name) const;

  /// One member a line, sorted by name.
  std::string text() const;
  /// The inverse of text(); `place` (a path) is named in errors. Throws CheckpointError.
  static JsonState parse(std::string_view text, const std::string& place);

 private:
  using Value = std::variant<std::int64_t, std::uint64_t, double, std::string, bool,
                             std::vector<std::int64_t>, std::vector<double>>;
  template <typename T>
  const T& get(const std::string& name, std::string_view type) const;

  std::map<std::string, Value> values_;
  std::string place_ = "state";
};

/// Shortest text that reads back to the same double and always looks like a real number ("3.0",
/// "1e-09"). NaN and infinities become "NaN", "Infinity", "-Infinity" (no JSON: callers decide).
std::string real_text(double value);

/// `text` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);

}  // namespace linformer
