// SPDX-License-Identifier: Apache-2.0
#include "config/nested_values.h"

#include "config/yaml_tree.h"

namespace linformer {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

/// A double-quoted YAML scalar.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte < 0x20) {
      out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + "\"";
}

const YamlNode& inner(const YamlNode& node) {
  const YamlNode* out = &node;
  while (out->kind == YamlNode::Kind::kMap && out->entries.size() == 1 &&
         out->entries.front().key == "value") {
    out = &out->entries.front().value;
  }
  return *out;
}

bool is_kept(const YamlEntry& entry) {
  return entry.key != "_wandb" && entry.key != "wandb_version" &&
         inner(entry.value).kind != YamlNode::Kind::kList;
}

/// In flow style, so that no text depends on its indentation.
std::string text_of(const YamlNode& outer) {
  const YamlNode& node = inner(outer);
  if (node.kind == YamlNode::Kind::kNull) return "null";
  if (node.kind == YamlNode::Kind::kPlain && node.text.find_first_of(",[]{}:#") == node.text.npos) {
    return node.text;  // perhaps a number
  }
  if (node.kind != YamlNode::Kind::kMap) return quoted(node.text);
  std::string out;
  for (const YamlEntry& entry : node.entries) {
    if (!is_kept(entry)) continue;
    out += (out.empty() ? "" : ", ") + quoted(entry.key) + ": " + text_of(entry.value);
  }
  return "{" + out + "}";
}

}  // namespace

std::string without_nested_values(std::string_view bytes, const std::string& name) {
  std::string out;
  const YamlNode root = parse_yaml(bytes, name);
  for (const YamlEntry& entry : root.entries) {
    if (is_kept(entry)) out += quoted(entry.key) + ": " + text_of(entry.value) + "\n";
  }
  return out;
}

}  // namespace linformer
