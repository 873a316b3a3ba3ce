// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "linformer/error.h"

namespace linformer {

/// Limits of a configuration file.
inline constexpr std::size_t kMaxYamlBytes = 1U << 20;
inline constexpr std::size_t kMaxYamlDepth = 8;

struct YamlEntry;

/// One node of a configuration file. A null node is an empty value, ~ or null.
struct YamlNode {
  enum class Kind { kNull, kPlain, kQuoted, kList, kMap };
  Kind kind = Kind::kNull;
  Place place;
  std::string text;  // kPlain, kQuoted
  std::vector<YamlEntry>
      entries;  // kMap, in file order; a list keeps no items, since no option is one
};

struct YamlEntry {
  std::string key;
  Place place;
  YamlNode value;
};

/// The one document of a configuration file, which must be a map.
/// Refuses, with the place, before a tree exists: anchors, aliases, tags, merge keys, duplicate
/// keys, a second document, depth over kMaxYamlDepth, tabs in indentation, anything but UTF-8 (one
/// byte order mark is skipped), control bytes. Throws ConfigError calling the file `name`.
YamlNode parse_yaml(std::string_view bytes, const std::string& name);

}  // namespace linformer
