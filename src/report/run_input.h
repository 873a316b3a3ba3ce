// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "report/inputs.h"

namespace linformer {

/// True for a directory that a training or `convert` or `average` has made.
bool is_run_directory(const std::string& path);

/// Adds the run, its evaluations, and those of its averaged weights. A file that is missing leaves
/// its values empty; one that is broken is a DataError or ConfigError naming it and the line. A
/// last line of metrics.jsonl without its newline, which a running training may just be writing,
/// is left out.
void read_run(const std::string& path, ReportInputs& inputs);

}  // namespace linformer
