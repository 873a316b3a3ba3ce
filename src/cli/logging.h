// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"

namespace linformer {

/// Sends log_info and log_warning to stderr, "linformer: TEXT" a line; "warning" is coloured on a
/// terminal unless NO_COLOR is set or TERM is dumb. With --quiet information is dropped.
void set_up_logging(const CommonOptions& common);

}  // namespace linformer
