// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "cli/options.h"

namespace linformer {

/// A command line that was understood. Both programs parse the same one: the front to check it, the
/// engine to obey it.
struct ParsedCommand {
  std::string verb;  // "train", "tokenizer train"
  bool is_tensor_verb = false;
  CommonOptions common;
  VerbOptions options;
  /// What --help, --version, `help` or `version` ask to be printed; nothing else is to be done
  /// then.
  std::optional<std::string> answer;
};

/// Reads argv[1..argc). Flags that every verb takes may stand before the verb. Throws UsageError
/// naming the flag or verb, its value and what is wanted, with the nearest one for a slip.
ParsedCommand parse_command_line(int argc, const char* const* argv);

}  // namespace linformer
