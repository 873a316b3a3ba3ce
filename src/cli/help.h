// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/verb_table.h"

namespace linformer {

/// What `linformer --help` prints: purpose, verbs, exit codes, environment.
std::string program_help();

/// What `linformer VERB --help` prints: purpose, usage, examples, every argument with its default
/// and what it wants.
std::string verb_help(const Verb& verb);

/// "Threads; left out, ... [a whole number from 1 to 1024]": what help says of one argument.
std::string argument_help(const Argument& argument);

/// "--config FILE", "FILE...": the argument as it is written.
std::string argument_form(const Argument& argument);

/// "train --config FILE", for messages: the verb and its usage.
std::string usage_line(const Verb& verb);

}  // namespace linformer
