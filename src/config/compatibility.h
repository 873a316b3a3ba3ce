// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/yaml_reader.h"

namespace linformer {

/// Whether the configuration asks for the original's model and training: `compatibility` decides
/// where it is given, else every option that the file gives under model and training, at least one
/// of them under model, must be spelled as in the original's YAML files. Other layers and sections
/// have no say.
bool is_compatibility_mode(const LoadedConfig& loaded);

/// Gives options that no layer gave the original's values: batches of 88 pairs, Adam (0.9, 0.999,
/// 1e-8) at 1e-4, its epoch cosine, neither dropout nor smoothing nor clipping, post-norm, untied
/// embeddings, E and F as it starts them.
void apply_compatibility_defaults(LoadedConfig& loaded);

}  // namespace linformer
