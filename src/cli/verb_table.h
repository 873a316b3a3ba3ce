// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "cli/argument.h"
#include "cli/options.h"

namespace linformer {

/// One verb of the program, "train" or "tokenizer train".
struct Verb {
  std::string_view name;
  std::string_view purpose;                // one sentence
  std::string_view usage;                  // what follows the name
  std::vector<std::string_view> examples;  // what follows "linformer "
  bool is_tensor_verb = false;             // done by linformer-engine
  VerbOptions defaults;
};

/// All verbs in the order of the help text.
std::span<const Verb> verb_table();

/// The verb of that name, or null.
const Verb* find_verb(std::string_view name);

/// Flags and positionals of the verb whose options these are, bound to them.
std::vector<Argument> arguments_of(VerbOptions& options);

/// Flags that every verb takes, bound to `common`; --device and --dtype for tensor verbs alone.
std::vector<Argument> common_arguments(CommonOptions& common, bool is_tensor_verb);

}  // namespace linformer
