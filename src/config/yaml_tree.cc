// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/utf8.h"

namespace linformer {
namespace {

constexpr std::size_t kMaxKeys = 1000;
constexpr char kNoAnchors[] = "anchors and aliases are not allowed";

Place at_offset(const std::string& name, std::size_t offset) {
  return {.file = name, .offset = offset};
}

/// Text checks that need no YAML. Returns the text without its byte order mark.
std::string_view check_bytes(std::string_view bytes, const std::string& name) {
  if (bytes.size() > kMaxYamlBytes) {
    throw ConfigError(name + ": is too large (got " + std::to_string(bytes.size()) +
                      " bytes, want at most " + std::to_string(kMaxYamlBytes) + ")");
  }
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    throw ConfigError(at_offset(name, 0), "is UTF-16 (want UTF-8)");
  }
  const std::size_t skipped = bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  if (const auto invalid = utf8_first_invalid(bytes))
    throw ConfigError(at_offset(name, *invalid), "is not valid UTF-8");
  for (std::size_t i = skipped; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte == 0) throw ConfigError(at_offset(name, i), "NUL byte (is it UTF-16? want UTF-8)");
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) {
      throw ConfigError(at_offset(name, i), "control byte (want text)");
    }
    if (bytes.substr(i).starts_with("\xEF\xBB\xBF")) {
      throw ConfigError(at_offset(name, i), "a byte order mark is allowed at the start only, once");
    }
  }
  return bytes.substr(skipped);
}

void check_tabs(std::string_view text, const std::string& name) {
  std::int64_t line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view content = text.substr(begin, end - begin);
    const std::size_t first = content.find_first_not_of(" \t\r");
    const std::size_t tab = content.find('\t');
    if (first != std::string_view::npos && content[first] != '#' && tab < first) {
      throw ConfigError({.file = name, .line = line, .column = static_cast<std::int64_t>(tab) + 1},
                        "a tab in the indentation (want spaces)");
    }
    begin = end + 1;
  }
}

/// Builds our tree from yaml-cpp's events and throws at the first thing that a configuration must
/// not hold.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++num_documents_ > 1) throw ConfigError(place(mark), "a second document (want one)");
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    throw ConfigError(place(mark), kNoAnchors);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw ConfigError(place(mark), kNoAnchors);
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse_properties(mark);
    add({.kind = YamlNode::Kind::kNull, .place = place(mark)});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    refuse_properties(mark);
    // yaml-cpp calls a plain scalar "?" and any other one "!".
    const auto kind = tag == "?" ? YamlNode::Kind::kPlain : YamlNode::Kind::kQuoted;
    if (kind == YamlNode::Kind::kQuoted) require_closed_quote(mark);
    add({.kind = kind, .place = place(mark), .text = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    start(mark, YamlNode::Kind::kList);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    start(mark, YamlNode::Kind::kMap);
  }
  void OnSequenceEnd() override { finish(); }
  void OnMapEnd() override { finish(); }

  YamlNode take() { return std::move(root_); }

 private:
  struct Level {
    YamlNode node;
    std::string key;
    Place key_place;
    bool has_key = false;
  };

  Place place(const YAML::Mark& mark) const {
    return {.file = name_, .line = mark.line + 1, .column = mark.column + 1};
  }

  void refuse_properties(const YAML::Mark& mark) const {
    const auto position = static_cast<std::size_t>(std::max(mark.pos, 0));
    const char first = position < text_.size() ? text_[position] : '\0';
    if (first == '!') throw ConfigError(place(mark), "tags are not allowed");
    if (first == '&' || first == '*') throw ConfigError(place(mark), kNoAnchors);
  }

  /// yaml-cpp takes the end of the file for the closing quote where a line end stands before it.
  void require_closed_quote(const YAML::Mark& mark) const {
    const auto begin = static_cast<std::size_t>(std::max(mark.pos, 0));
    const char quote = begin < text_.size() ? text_[begin] : '\0';
    if (quote != '"' && quote != '\'') return;
    for (std::size_t i = begin + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\' && quote == '"') {
        ++i;
      } else if (text_[i] == quote) {
        return;  // that of a doubled single quote is closed as well
      }
    }
    throw ConfigError(place(mark), "invalid YAML: the quote is never closed");
  }

  void start(const YAML::Mark& mark, YamlNode::Kind kind) {
    refuse_properties(mark);
    if (levels_.size() >= kMaxYamlDepth) {
      throw ConfigError(place(mark), "is nested too deep (want at most " +
                                         std::to_string(kMaxYamlDepth) + " levels)");
    }
    levels_.push_back({.node = {.kind = kind, .place = place(mark)}});
  }

  void finish() {
    YamlNode node = std::move(levels_.back().node);
    levels_.pop_back();
    if (levels_.empty()) {
      root_ = std::move(node);
    } else {
      add(std::move(node));
    }
  }

  void add(YamlNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& top = levels_.back();
    if (top.node.kind == YamlNode::Kind::kList) return;
    if (top.has_key) {
      top.node.entries.push_back({std::move(top.key), std::move(top.key_place), std::move(node)});
      top.has_key = false;
      return;
    }
    accept_key(top, std::move(node));
  }

  static void accept_key(Level& top, YamlNode node) {
    if (node.kind == YamlNode::Kind::kList || node.kind == YamlNode::Kind::kMap) {
      throw ConfigError(node.place, "a key must be a plain name");
    }
    if (node.text.empty()) throw ConfigError(node.place, "a key is empty");
    if (node.text == "<<")
      throw ConfigError(node.place, std::string(kNoAnchors) + " (<< merges them)");
    if (top.node.entries.size() >= kMaxKeys) {
      throw ConfigError(
          node.place, "too many keys (want at most " + std::to_string(kMaxKeys) + " in a section)");
    }
    for (const YamlEntry& entry : top.node.entries) {
      if (entry.key != node.text) continue;
      throw ConfigError(node.place, node.text + " is given twice (first in line " +
                                        std::to_string(entry.place.line) + ")");
    }
    top.key = std::move(node.text);
    top.key_place = std::move(node.place);
    top.has_key = true;
  }

  std::string_view text_;
  const std::string& name_;
  YamlNode root_;
  std::vector<Level> levels_;
  int num_documents_ = 0;
};

}  // namespace

YamlNode parse_yaml(std::string_view bytes, const std::string& name) {
  const std::string text(check_bytes(bytes, name));
  check_tabs(text, name);
  TreeBuilder builder(text, name);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const bool is_alias = error.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR);
    throw ConfigError({.file = name, .line = error.mark.line + 1, .column = error.mark.column + 1},
                      is_alias ? kNoAnchors : "invalid YAML: " + error.msg);
  }
  YamlNode root = builder.take();
  if (root.kind == YamlNode::Kind::kNull)
    throw ConfigError(name + ": is empty (want sections such as model:)");
  if (root.kind != YamlNode::Kind::kMap)
    throw ConfigError(root.place, "is not a configuration (want sections such as model:)");
  return root;
}

}  // namespace linformer
