// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"

namespace linformer {

/// `train --dry-run`: checks everything that training would need and prints what it would do: mode,
/// model, parameters, memory, data, steps, run directory. Needs no engine, reads no large corpus,
/// writes nothing. Throws UserError as preflight().
int run_dry_run(const TrainOptions& options, const CommonOptions& common);

}  // namespace linformer
