// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace linformer {

/// The path that a checkpoint argument means on this machine: the argument itself, or for
/// wandb:ENTITY/PROJECT/RUN that of the checkpoint among the run's files, fetched into
/// ${XDG_CACHE_HOME:-~/.cache}/linformer/wandb/ENTITY/PROJECT/RUN unless it is there already. That
/// is the directory `checkpoint` of tracking.wandb_checkpoint, else the original's checkpoint.pt,
/// whose configuration is then config.yaml beside it. Nothing else here uses the network.
/// Throws UsageError for an argument that names no run and without a key, UserError for what the
/// service refuses or does not have, CheckpointError for a run without a checkpoint (its files are
/// named) and for damaged files, IoError when the service cannot be reached or a file not be
/// written.
std::string local_checkpoint(const std::string& argument);

}  // namespace linformer
