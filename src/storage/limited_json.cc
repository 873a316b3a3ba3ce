// SPDX-License-Identifier: Apache-2.0
#include "storage/limited_json.h"

#include <utility>
#include <vector>

#include "linformer/error.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

using nlohmann::json;

/// Builds the tree itself, because nlohmann keeps the last of two equal keys without a word.
class TreeBuilder final : public json::json_sax_t {
 public:
  TreeBuilder(std::string_view text, const std::string& path, std::uint64_t base,
              const JsonLimits& limits)
      : text_(text), path_(path), base_(base), limits_(limits) {}

  json take() { return std::move(root_); }

  bool null() override { return place(json(nullptr)) != nullptr; }
  bool boolean(bool value) override { return place(json(value)) != nullptr; }
  bool number_integer(number_integer_t value) override { return place(json(value)) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return place(json(value)) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override {
    return place(json(value)) != nullptr;
  }
  bool string(string_t& value) override { return place(json(std::move(value))) != nullptr; }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (stack_.back()->contains(name)) {
      fail(find_json_key(text_, name, 1), "duplicate key " + json_string(name));
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception&) override {
    fail(position == 0 ? 0 : position - 1,
         "is not valid JSON" + (token.empty() ? "" : " (got " + json_string(token) + ")"));
  }

 private:
  [[noreturn]] void fail(std::size_t offset, const std::string& reason) const {
    throw CheckpointError(Place{.file = path_, .offset = base_ + offset}, reason);
  }

  json* place(json&& value) {
    if (++num_values_ > limits_.values) {
      fail(0, "JSON holds too many values (want at most " + std::to_string(limits_.values) + ")");
    }
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  bool open(json&& value) {
    if (stack_.size() >= limits_.depth) {
      fail(0, "JSON is nested too deeply (want at most " + std::to_string(limits_.depth) + ")");
    }
    stack_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    stack_.pop_back();
    return true;
  }

  std::string_view text_;
  const std::string& path_;
  std::uint64_t base_;
  JsonLimits limits_;
  json root_;
  std::vector<json*> stack_;
  std::string key_;
  std::size_t num_values_ = 0;
};

}  // namespace

json parse_limited_json(std::string_view text, const std::string& path, std::uint64_t base,
                        const JsonLimits& limits) {
  // nlohmann takes a NUL byte for the end of its input.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw CheckpointError(Place{.file = path, .offset = base + nul}, "NUL byte in JSON");
  }
  TreeBuilder builder(text, path, base, limits);
  json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

std::size_t find_json_key(std::string_view text, const std::string& key, int occurrence) {
  const std::string quoted = json_string(key);
  std::size_t found = 0;
  for (std::size_t from = 0;; from = found + 1) {
    found = text.find(quoted, from);
    if (found == std::string_view::npos) return 0;
    const std::size_t next = text.find_first_not_of(" \t\r\n", found + quoted.size());
    if (next == std::string_view::npos || text[next] != ':') continue;
    if (occurrence-- == 0) return found;
  }
}

}  // namespace linformer
