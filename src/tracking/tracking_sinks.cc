// SPDX-License-Identifier: Apache-2.0
#include "tracking/tracking_sinks.h"

#include <memory>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "linformer/error.h"
#include "tracking/best_effort_sink.h"
#include "tracking/tensorboard_sink.h"
#include "tracking/wandb_settings.h"

namespace linformer {

void add_tracking_sinks(Observer& observer, const std::string& run_directory,
                        const RunConfig& config, const TrackingStart& start) {
  if (config.tracking.tensorboard) {
    observer.add(std::make_unique<BestEffortSink>("TensorBoard", [&] {
      return std::make_unique<TensorboardSink>(run_directory + "/tensorboard", config, start.step);
    }));
  }
  if (config.tracking.wandb == WandbMode::kOff) return;
  const std::optional<WandbSettings> settings = wandb_settings(run_directory);
  if (!settings) return;
  const bool is_online = config.tracking.wandb == WandbMode::kOnline && !settings->is_offline;
  observer.add(std::make_unique<BestEffortSink>("W&B", [&] {
    write_file_atomically(run_directory + "/" + kWandbRunIdFile, settings->run_id + "\n");
    auto sink = std::make_unique<WandbSink>(*settings, config, start);
    if (is_online) {
      sink->upload_live();
    } else {
      log_info("W&B: 'wandb sync " + sink->path() + "' uploads this run");
    }
    return sink;
  }));
}

}  // namespace linformer
