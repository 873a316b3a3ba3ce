// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "cli/verbs.h"
#include "config/compatibility.h"
#include "config/number_text.h"
#include "config/option.h"
#include "config/printer.h"
#include "config/yaml_reader.h"

namespace linformer {
namespace {

using Json = nlohmann::ordered_json;

/// The member's value with its own JSON type; null for "not given".
Json json_value(const Option& option) {
  const auto text = option.value_text();
  if (!text) return nullptr;
  return std::visit(
      [&](const auto& member) -> Json {
        using Member = std::decay_t<decltype(member)>;
        if constexpr (std::is_same_v<Member, EnumMember>) {
          return *text;
        } else if constexpr (std::is_same_v<Member, std::optional<bool>*>) {
          return **member;
        } else {
          return *member;
        }
      },
      option.member);
}

int show(const ConfigOptions& options, bool json) {
  LoadedConfig loaded = load_run_config(options.config, options.overrides);
  if (!json) {
    write_stdout(print_config(loaded));
    return 0;
  }
  Json values = Json::object();
  for (const Option& option : schema_of(loaded.config).options) {
    values[option.key] = {{"value", json_value(option)},
                          {"origin", loaded.origins.at(option.key).text()}};
  }
  write_stdout(Json{{"config", options.config},
                    {"compatibility", loaded.config.model.compatibility},
                    {"options", values}}
                   .dump() +
               "\n");
  return 0;
}

/// The schema bound to the defaults of compatibility mode.
struct CompatibilityDefaults {
  LoadedConfig loaded;
  CompatibilityDefaults() { apply_compatibility_defaults(loaded); }
};

Json schema_json(const Option& option, const Option& compatible) {
  Json entry{{"key", option.key}, {"aliases", Json::array()}, {"type", option.type_name()}};
  for (std::size_t i = 1; i < option.spellings.size(); ++i)
    entry["aliases"].push_back(option.spellings[i]);
  if (option.range) {
    entry["low"] = option.range->low;
    entry["high"] = option.range->high;
    entry["low_excluded"] = option.range->above;
  }
  if (const auto* names = std::get_if<EnumMember>(&option.member)) entry["values"] = names->names;
  entry["required"] = option.required.has_value();
  entry["default"] = option.required ? Json(nullptr) : json_value(option);
  entry["compatibility_default"] = option.required ? Json(nullptr) : json_value(compatible);
  entry["original"] = option.original.empty() ? Json(nullptr) : Json(option.original);
  entry["may_change_on_resume"] = option.may_change;
  entry["help"] = option.help;
  return entry;
}

std::string schema_text(const Option& option, const Option& compatible) {
  std::string out = option.key;
  std::string aliases;
  for (std::size_t i = 1; i < option.spellings.size(); ++i)
    aliases += (i > 1 ? ", " : "") + option.spellings[i];
  if (!aliases.empty()) out += " (" + aliases + ")";
  out += "\n    " + option.wanted();
  const std::string none = "none";
  const std::string value = option.value_text().value_or(none);
  const std::string compatible_value = compatible.value_text().value_or(none);
  if (option.required) {
    out += "; required, for example " + std::string(*option.required);
  } else {
    out += "; default " + value;
    if (compatible_value != value) out += ", in compatibility mode " + compatible_value;
  }
  if (option.may_change) out += "; may change on resume";
  return out + "\n    " + std::string(option.help) + "\n";
}

/// The column of what an option takes and where it starts, in a table of Markdown.
std::string markdown_default(const Option& option, const Option& compatible) {
  if (option.required) return "required, e.g. `" + std::string(*option.required) + "`";
  const auto shown = [](const Option& of) {
    const std::string value = of.value_text().value_or("");
    return value.empty() || value == "\"\"" ? std::string("none") : "`" + value + "`";
  };
  const std::string value = shown(option);
  const std::string compatible_value = shown(compatible);
  return value == compatible_value ? value : value + "; compatibility mode " + compatible_value;
}

std::string markdown_row(const Option& option, const Option& compatible) {
  std::string names = "`" + option.key + "`";
  for (std::size_t i = 1; i < option.spellings.size(); ++i)
    names += ", `" + option.spellings[i] + "`";
  std::string out = "| " + names + " | " + option.wanted() + " | " +
                    markdown_default(option, compatible) + " | " + std::string(option.help);
  if (option.may_change) out += " *May change on resume.*";
  return out + " |\n";
}

/// docs/options.md: a table for each section of the file.
std::string schema_markdown(const Schema& schema, const Schema& compatible) {
  std::string out =
      "# Options of a configuration\n"
      "<!-- printed by `linformer config schema --markdown`; do not edit -->\n"
      "A configuration is a YAML file; `LINFORMER_SECTION__KEY` variables override it, and "
      "`section.key=value` arguments\n"
      "override both. A second name is the original's spelling. Compatibility mode: the guide's "
      "page on choosing k.\n";
  std::string open = "?";
  for (std::size_t i = 0; i < schema.options.size(); ++i) {
    const Option& option = schema.options[i];
    const std::size_t dot = option.key.rfind('.');
    const std::string section = dot == std::string::npos ? "" : option.key.substr(0, dot);
    if (section != open) {
      const SectionInfo* info = section.empty() ? nullptr : schema.find_section(section);
      out += "\n## " + (section.empty() ? "Top level" : "`" + section + "`") + "\n";
      if (info != nullptr) out += std::string(info->help) + "\n";
      out += "\n| option | takes | default | meaning |\n|---|---|---|---|\n";
      open = section;
    }
    out += markdown_row(option, compatible.options[i]);
  }
  return out;
}

int print_schema(bool json, bool markdown) {
  RunConfig config;
  const Schema schema = schema_of(config);
  CompatibilityDefaults defaults;
  const Schema compatible = schema_of(defaults.loaded.config);
  if (markdown) {
    write_stdout(schema_markdown(schema, compatible));
    return 0;
  }
  Json entries = Json::array();
  std::string text;
  for (std::size_t i = 0; i < schema.options.size(); ++i) {
    if (json) {
      entries.push_back(schema_json(schema.options[i], compatible.options[i]));
    } else {
      text += schema_text(schema.options[i], compatible.options[i]);
    }
  }
  write_stdout(json ? Json{{"options", entries}}.dump() + "\n" : text);
  return 0;
}

}  // namespace

int run_config(const ConfigOptions& options, const CommonOptions& common) {
  return options.schema ? print_schema(common.json, options.markdown) : show(options, common.json);
}

}  // namespace linformer
