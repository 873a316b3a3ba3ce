// SPDX-License-Identifier: Apache-2.0
#include "config/printer.h"

#include <algorithm>

#include "config/option.h"

namespace linformer {
namespace {

/// Writes "section:" lines where the path leaves the sections that are open.
class YamlWriter {
 public:
  void add(const std::string& key, const std::string& value, const std::string& comment) {
    open_sections(key);
    const std::size_t dot = key.rfind('.');
    std::string line =
        indent(depth(key)) + key.substr(dot == std::string::npos ? 0 : dot + 1) + ": " + value;
    if (!comment.empty()) {
      line.resize(std::max<std::size_t>(line.size() + 2, kCommentColumn), ' ');
      line += "# " + comment;
    }
    out_ += line + "\n";
  }
  std::string take() { return std::move(out_); }

 private:
  static constexpr std::size_t kCommentColumn = 44;

  static std::size_t depth(const std::string& key) {
    return static_cast<std::size_t>(std::ranges::count(key, '.'));
  }
  static std::string indent(std::size_t levels) { return std::string(2 * levels, ' '); }

  void open_sections(const std::string& key) {
    for (std::size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
      const std::string section = key.substr(0, dot + 1);
      if (open_.starts_with(section)) continue;
      const std::size_t start = section.rfind('.', dot - 1);
      out_ += indent(depth(section) - 1) +
              section.substr(start == std::string::npos ? 0 : start + 1,
                             dot - (start == std::string::npos ? 0 : start + 1)) +
              ":\n";
    }
    const std::size_t last = key.rfind('.');
    open_ = last == std::string::npos ? "" : key.substr(0, last + 1);
  }

  std::string out_;
  std::string open_;
};

}  // namespace

std::string print_config(const RunConfig& config) {
  RunConfig copy = config;
  YamlWriter writer;
  for (const Option& option : schema_of(copy).options) {
    if (const auto value = option.value_text()) writer.add(option.key, *value, "");
  }
  return writer.take();
}

std::string print_config(const LoadedConfig& loaded) {
  RunConfig copy = loaded.config;
  YamlWriter writer;
  for (const Option& option : schema_of(copy).options) {
    const auto value = option.value_text();
    if (!value) continue;
    const Origin& origin = loaded.origins.at(option.key);
    const bool is_alias = loaded.is_given(option.key) && origin.spelling != option.key;
    writer.add(option.key, *value, origin.text() + (is_alias ? " as " + origin.spelling : ""));
  }
  return writer.take();
}

}  // namespace linformer
