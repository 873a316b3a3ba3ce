// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"

namespace linformer {

/// Checks what the arguments of a verb say together: one corpus, the right number of files, flags
/// that exclude each other, the device's name. Throws UsageError.
void check_options(const ParsedCommand& command);

}  // namespace linformer
