// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/options.h"

namespace linformer {

/// What the choice of an engine depends on.
struct EnginePlace {
  std::string directory;  // where this program lies, "" when it cannot be told
  bool has_cpu_engine = false;
  bool has_cuda_engine = false;
  int num_gpus = 0;  // device nodes, not what CUDA_VISIBLE_DEVICES leaves of them
};

EnginePlace find_engines();

/// The path of the engine for `device`: the CUDA one for cuda and cuda:I, and for auto where it
/// lies beside and a GPU is present; else the CPU one. Throws UsageError for a GPU that is not
/// there (naming those that are) and for a missing engine (naming the command that builds it).
std::string choose_engine(const std::string& device, const EnginePlace& place);

/// Becomes the engine, with the same arguments and process id. LINFORMER_TORCH_DIR names another
/// torch package than the one that was linked. Throws IoError when the engine cannot be started;
/// never returns.
[[noreturn]] void hand_over(const CommonOptions& common, char** argv);

}  // namespace linformer
