// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_reader.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "config/compatibility.h"
#include "config/option.h"
#include "config/validate.h"
#include "config/value.h"
#include "config/yaml_tree.h"

extern char** environ;

namespace linformer {
namespace {

RawValue raw_value(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return {RawValue::Kind::kNull, ""};
    case YamlNode::Kind::kPlain:
      return {RawValue::Kind::kPlain, node.text};
    case YamlNode::Kind::kQuoted:
      return {RawValue::Kind::kQuoted, node.text};
    case YamlNode::Kind::kList:
      return {RawValue::Kind::kList, ""};
    case YamlNode::Kind::kMap:
      break;
  }
  return {RawValue::Kind::kMap, ""};
}

/// Applies layer after layer to one configuration.
class Loader {
 public:
  Loader() : schema_(schema_of(loaded_.config)) {
    for (const Option& option : schema_.options) {
      loaded_.origins[option.key] = {.layer = Layer::kDefault, .spelling = option.key};
    }
  }
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  void read_file_layer(const YamlNode& root) { read_section(root, ""); }
  void read_environment();
  void read_overrides(const std::vector<std::string>& overrides);
  LoadedConfig finish(const std::string& file);

 private:
  void read_section(const YamlNode& node, const std::string& path);
  void set(const std::string& path, const RawValue& value, Origin origin);
  /// Throws when no option has that path.
  const Option& option_at(const std::string& path, const std::string& start) const;
  void refuse_second(const Option& option, const Origin& origin) const;
  static std::string start_of(const Place& place) { return place.text() + ": "; }

  LoadedConfig loaded_;
  Schema schema_;
};

const Option& Loader::option_at(const std::string& path, const std::string& start) const {
  if (const Option* option = schema_.find(path)) return *option;
  if (schema_.find_section(path) != nullptr) {
    throw ConfigError(start + path + " is a section (want options such as " +
                      schema_.suggest(path + ".") + ")");
  }
  const std::string near = schema_.suggest(path);
  const std::string hint =
      near.empty() ? "`linformer config schema` lists them" : "did you mean " + near + "?";
  throw ConfigError(start + path + " is not an option (" + hint + ")");
}

void Loader::refuse_second(const Option& option, const Origin& origin) const {
  const Origin& first = loaded_.origins.at(option.key);
  if (first.layer != origin.layer) return;
  const std::string start =
      origin.layer == Layer::kFile ? start_of(origin.key) : origin.text() + ": ";
  const std::string lines =
      origin.layer == Layer::kFile
          ? ", lines " + std::to_string(first.key.line) + " and " + std::to_string(origin.key.line)
          : "";
  if (first.spelling == origin.spelling)
    throw ConfigError(start + origin.spelling + " is given twice" + lines);
  throw ConfigError(start + first.spelling + " and " + origin.spelling +
                    " are the same option (want one of them" + lines + ")");
}

void Loader::set(const std::string& path, const RawValue& value, Origin origin) {
  const bool is_file = origin.layer == Layer::kFile;
  const Option& option = option_at(path, is_file ? start_of(origin.key) : origin.text() + ": ");
  origin.spelling = path;
  refuse_second(option, origin);
  if (const auto complaint = set_option(option, value, path)) {
    throw ConfigError((is_file ? start_of(origin.value) : origin.text() + ": ") + *complaint);
  }
  loaded_.origins[option.key] = std::move(origin);
}

void Loader::read_section(const YamlNode& node, const std::string& path) {
  for (const YamlEntry& entry : node.entries) {
    const std::string child = path + entry.key;
    if (schema_.find_section(child) == nullptr) {
      set(child, raw_value(entry.value),
          {.layer = Layer::kFile, .key = entry.place, .value = entry.value.place});
    } else if (entry.value.kind == YamlNode::Kind::kMap) {
      read_section(entry.value, child + ".");
    } else if (entry.value.kind != YamlNode::Kind::kNull) {
      throw ConfigError(entry.value.place,
                        child + " is a section (want options below it, indented)");
    }
  }
}

void Loader::read_environment() {
  constexpr std::string_view kPrefix = "LINFORMER_";
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  std::ranges::sort(variables);
  for (const std::string& variable : variables) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos || !variable.starts_with(kPrefix)) continue;
    std::string path;
    for (std::size_t i = kPrefix.size(); i < equals; ++i) {
      const char c = variable[i];
      if (c == '_' && i + 1 < equals && variable[i + 1] == '_') {
        path += '.';
        ++i;
      } else {
        path += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      }
    }
    // Other LINFORMER_ variables are not options.
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos || schema_.find_section(path.substr(0, dot)) == nullptr) continue;
    set(path, {RawValue::Kind::kVerbatim, variable.substr(equals + 1)},
        {.layer = Layer::kEnvironment, .variable = variable.substr(0, equals)});
  }
}

void Loader::read_overrides(const std::vector<std::string>& overrides) {
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw ConfigError("command line: " + text.substr(0, 60) +
                        " is not an override (want a.b=value)");
    }
    set(text.substr(0, equals), {RawValue::Kind::kVerbatim, text.substr(equals + 1)},
        {.layer = Layer::kCommandLine});
  }
}

LoadedConfig Loader::finish(const std::string& file) {
  RunConfig& config = loaded_.config;
  const bool is_compatible = is_compatibility_mode(loaded_);
  if (is_compatible) apply_compatibility_defaults(loaded_);
  if (is_compatible && !config.compatibility) {
    loaded_.origins["compatibility"] = {.layer = Layer::kCompatibility,
                                        .spelling = "compatibility"};
  }
  if (loaded_.origins.at("training.batch_tokens").layer >
      loaded_.origins.at("training.batch_size").layer) {
    config.training.batch_size = 0;
    loaded_.origins["training.batch_size"] = {.layer = Layer::kDefault,
                                              .spelling = "training.batch_size"};
  }
  config.compatibility = is_compatible;
  config.model.compatibility = is_compatible;
  config.model.max_length = config.data.max_length;
  validate(loaded_, file);
  return std::move(loaded_);
}

}  // namespace

std::string Origin::text() const {
  switch (layer) {
    case Layer::kDefault:
      return "default";
    case Layer::kCompatibility:
      return "compatibility";
    case Layer::kFile:
      return key.file + ":" + std::to_string(key.line);
    case Layer::kEnvironment:
      return variable;
    case Layer::kCommandLine:
      break;
  }
  return "command line";
}

bool LoadedConfig::is_given(const std::string& key) const {
  const auto found = origins.find(key);
  return found != origins.end() && found->second.layer >= Layer::kFile;
}

LoadedConfig load_run_config(const std::string& path, const std::vector<std::string>& overrides) {
  Loader loader;
  loader.read_file_layer(parse_yaml(read_file(path, kMaxYamlBytes), path));
  loader.read_environment();
  loader.read_overrides(overrides);
  return loader.finish(path);
}

LoadedConfig load_saved_config(const std::string& path) {
  return parse_run_config(read_file(path, kMaxYamlBytes), path);
}

LoadedConfig parse_run_config(std::string_view yaml, const std::string& name,
                              const std::vector<std::string>& overrides) {
  Loader loader;
  loader.read_file_layer(parse_yaml(yaml, name));
  loader.read_overrides(overrides);
  return loader.finish(name);
}

}  // namespace linformer
