// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/run_config.h"
#include "tracking/evaluation_record.h"
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

/// Adds the scores of an evaluation to the W&B run of the training in `run_directory`, if it has
/// one, as GROUP/TEST_SET/bleu, chrf, perplexity and bits_per_byte: a further log of that run with
/// a row after the checkpoint's step, uploaded as the training's was. What goes wrong costs a
/// warning.
void track_evaluation(const std::string& run_directory, const RunConfig& config,
                      const EvaluationRecord& record, const std::string& group);

}  // namespace linformer
