// SPDX-License-Identifier: Apache-2.0
#include "text/strict_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "linformer/error.h"
#include "text/tokenizer_spec.h"

namespace linformer {
namespace {

using Json = nlohmann::json;

/// Line and column (both from 1) of the byte at `offset`.
Place place_of(const std::string& file, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::size_t newline = before.rfind('\n');
  Place place;
  place.file = file;
  place.line = 1 + std::count(before.begin(), before.end(), '\n');
  place.column = static_cast<std::int64_t>(
      newline == std::string_view::npos ? before.size() + 1 : before.size() - newline);
  return place;
}

/// The parser's reason without its own prefix and without the text that it read last.
std::string reason_of(std::string_view what) {
  const std::size_t column = what.find("column ");
  const std::size_t colon =
      column == std::string_view::npos ? what.find("] ") + 1 : what.find(": ", column) + 1;
  what.remove_prefix(colon + 1);
  return "not valid JSON: " + std::string(what.substr(0, what.find("; last read")));
}

/// Builds the tree; refuses what a tree could no longer tell.
class TreeBuilder : public nlohmann::json_sax<Json> {
 public:
  TreeBuilder(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    const auto [entry, is_new] = open_.back()->emplace(value, nullptr);
    if (!is_new) throw DataError(file_ + ": duplicate key " + quote_token(value));
    slot_ = &*entry;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    throw DataError(place_of(file_, text_, position == 0 ? 0 : position - 1),
                    reason_of(error.what()));
  }

 private:
  bool add(Json value) {
    store(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (open_.size() == kMaxJsonDepth) {
      throw DataError(file_ + ": nested too deeply (want at most " + std::to_string(kMaxJsonDepth) +
                      " levels)");
    }
    open_.push_back(store(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  Json* store(Json value) {
    if (++num_values_ > kMaxJsonValues) {
      throw DataError(file_ + ": too many values (want at most " + std::to_string(kMaxJsonValues) +
                      ")");
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    *slot_ = std::move(value);
    return slot_;
  }

  std::string_view text_;
  const std::string& file_;
  Json root_;
  std::vector<Json*> open_;
  Json* slot_ = nullptr;  // value of the object's key that was read last
  std::size_t num_values_ = 0;
};

}  // namespace

nlohmann::json parse_strict_json(std::string_view text, const std::string& file) {
  TreeBuilder builder(text, file);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

}  // namespace linformer
