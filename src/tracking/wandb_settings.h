// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace linformer {

/// Where an offline run of Weights & Biases is kept and what it is called.
struct WandbSettings {
  std::string run_directory;  // of the training
  std::string directory;      // holds wandb/offline-run-*
  std::string entity;         // empty: that of whoever uploads the run
  std::string project;
  std::string name;
  std::vector<std::string> tags;
  std::string run_id;
  bool is_offline = false;  // whatever the configuration says
};

/// Settings of the run in `run_directory`, by the environment: WANDB_DIR (else the run directory),
/// WANDB_ENTITY, WANDB_PROJECT (else linformer), WANDB_NAME (else the run directory's name),
/// WANDB_TAGS (separated by commas) and WANDB_RUN_ID (else the one of RUN/wandb_run_id, else eight
/// random letters and digits). Nothing when WANDB_MODE is disabled; offline is kept, its other
/// values are ignored, as is every key, for the wandb program has its own ways to one. Throws
/// UserError when WANDB_RUN_ID cannot be part of a file name.
std::optional<WandbSettings> wandb_settings(const std::string& run_directory);

/// The file of a run directory that keeps its W&B id.
inline constexpr char kWandbRunIdFile[] = "wandb_run_id";

}  // namespace linformer
