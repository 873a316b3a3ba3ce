// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/run_config.h"

namespace linformer {

/// An enum member without its type: the index into `names` is what is read and written.
struct EnumMember {
  std::vector<std::string_view> names;
  std::function<std::size_t()> get;
  std::function<void(std::size_t)> set;
};

using OptionMember = std::variant<bool*, std::int64_t*, std::uint64_t*, double*, std::string*,
                                  std::optional<bool>*, EnumMember>;

/// One line of the schema, bound to a member of one RunConfig.
struct Option {
  std::string key;       // canonical path, "training.lr_scheduler.min_lr"
  std::string original;  // path in the original's YAML files, empty where they have none
  std::vector<std::string> spellings;  // every accepted path, `key` first
  OptionMember member;
  std::optional<Range> range;
  std::optional<std::string_view> required;  // an example value
  bool may_change = false;                   // on resume
  std::string_view help;

  /// "integer", "number", "true or false", "text" or "name".
  std::string_view type_name() const;
  /// What a value must be: "an integer from 1 to 1024", "a finite number above 0, at most 1000",
  /// "pre or post".
  std::string wanted() const;
  /// The member as print_config writes it; nothing when it stands for "not given".
  std::optional<std::string> value_text() const;
};

/// A nested struct of the schema.
struct SectionInfo {
  std::string key;
  std::vector<std::string> spellings;
  std::string_view help;
};

/// The whole schema in the order of its declaration.
struct Schema {
  std::vector<Option> options;
  std::vector<SectionInfo> sections;

  /// The option or section of a path in any accepted spelling; null when there is none.
  const Option* find(std::string_view path) const;
  const SectionInfo* find_section(std::string_view path) const;
  /// The accepted path most like `path`: same section first, then the same name in another one;
  /// empty when none is near.
  std::string suggest(std::string_view path) const;
};

/// Copies the value of `from` to the member of `to`: the same option of two configurations.
void copy_value(const Option& from, const Option& to);

/// The schema bound to `config`, which must outlive it.
Schema schema_of(RunConfig& config);

}  // namespace linformer
