// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/run_config.h"
#include "tracking/record.h"
#include "tracking/wandb_sink.h"

namespace linformer {

/// Adds what `config.tracking` names: event files in RUN/tensorboard, a W&B run (by the
/// environment: tracking/wandb_settings.h) whose id stays in RUN/wandb_run_id, uploaded meanwhile
/// where `online` asks for it and WANDB_MODE is not offline. A log that cannot be written or
/// uploaded costs a warning, never the training. The calling thread must live as long as
/// `observer`: with it ends the upload. Throws UserError when WANDB_RUN_ID is
/// wrong.
void add_tracking_sinks(Observer& observer, const std::string& run_directory,
                        const RunConfig& config, const TrackingStart& start);

}  // namespace linformer
