// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace linformer {

/// A run of Weights & Biases.
struct WandbRunPath {
  std::string entity;
  std::string project;
  std::string run;

  /// ENTITY/PROJECT/RUN
  std::string text() const { return entity + "/" + project + "/" + run; }
};

/// True for a checkpoint argument that means a run of W&B: wandb:...
bool is_wandb_argument(std::string_view argument);

/// The run that wandb:ENTITY/PROJECT/RUN means. Throws UsageError unless each part is
/// [A-Za-z0-9._-]{1,64} without '.' in front.
WandbRunPath parse_wandb_argument(const std::string& argument);

}  // namespace linformer
