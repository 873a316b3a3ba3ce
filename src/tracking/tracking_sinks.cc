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

void require_supported(const TrackingConfig& tracking) {
  if (tracking.wandb == WandbMode::kOnline) {
    throw ConfigError(
        "tracking.wandb: online is not part of this version (want off or offline); "
        "'wandb sync DIR' uploads an offline run");
  }
}

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
  observer.add(std::make_unique<BestEffortSink>("W&B", [&] {
    write_file_atomically(run_directory + "/" + kWandbRunIdFile, settings->run_id + "\n");
    auto sink = std::make_unique<WandbSink>(*settings, config, start);
    log_info("W&B: 'wandb sync " + sink->path() + "' uploads this run");
    return sink;
  }));
}

}  // namespace linformer
