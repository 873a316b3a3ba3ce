// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "config/run_config.h"
#include "storage/safetensors.h"

namespace linformer {

/// The configuration of the model whose parameters these are (the names of ParameterStore, which
/// are the original's). Without `config_file` the original's, in compatibility mode, with the sizes
/// that the shapes tell; heads, which no shape tells, are then 8, as in every configuration of the
/// original. With it that configuration, whose model must have these sizes. Throws CheckpointError
/// naming `path` and the tensor or size that does not fit; ConfigError for the file.
RunConfig model_of_tensors(const std::vector<TensorView>& tensors, const std::string& path,
                           const std::string& config_file);

}  // namespace linformer
