// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/run_config.h"
#include "tracking/record.h"
#include "tracking/wandb_sink.h"

namespace linformer {

/// Throws ConfigError for what `tracking` asks in vain.
void require_supported(const TrackingConfig& tracking);

/// Adds what `config.tracking` names: event files in RUN/tensorboard, a W&B run kept offline (by
/// the environment: tracking/wandb_settings.h) whose id stays in RUN/wandb_run_id. A log that
/// cannot be written costs a warning, never the training. Throws UserError when WANDB_RUN_ID is
/// wrong.
void add_tracking_sinks(Observer& observer, const std::string& run_directory,
                        const RunConfig& config, const TrackingStart& start);

}  // namespace linformer
