// SPDX-License-Identifier: Apache-2.0
#include "tracking/tracking_sinks.h"

#include <memory>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "storage/run_directory.h"
#include "tracking/best_effort_sink.h"
#include "tracking/metrics_summary.h"
#include "tracking/tensorboard_sink.h"
#include "tracking/wandb_settings.h"

namespace linformer {
namespace {

std::unique_ptr<WandbSink> open_wandb(const WandbSettings& settings, const RunConfig& config,
                                      const TrackingStart& start) {
  auto sink = std::make_unique<WandbSink>(settings, config, start);
  if (config.tracking.wandb == WandbMode::kOnline && !settings.is_offline) {
    sink->upload_live();
  } else {
    log_info("W&B: 'wandb sync " + sink->path() + "' uploads this run");
  }
  return sink;
}

}  // namespace

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
    return open_wandb(*settings, config, start);
  }));
}

void track_evaluation(const std::string& run_directory, const RunConfig& config,
                      const EvaluationRecord& record, const std::string& group) {
  if (config.tracking.wandb == WandbMode::kOff ||
      !path_exists(run_directory + "/" + kWandbRunIdFile)) {
    return;
  }
  const std::string name = group + "/" + record.test_set + "/";
  try {
    RunDirectory::require_unlocked(run_directory);
    const std::optional<WandbSettings> settings = wandb_settings(run_directory);
    if (!settings) return;
    open_wandb(*settings, config, {.step = record.step})
        ->finish_with_scores(record.step + 1, metrics_summary(run_directory + "/metrics.jsonl"),
                             {{name + "bleu", record.bleu},
                              {name + "chrf", record.chrf},
                              {name + "perplexity", record.perplexity},
                              {name + "bits_per_byte", record.bits_per_byte}});
  } catch (const Error& error) {
    log_warning("W&B: the scores are not in the run's log: " + std::string(error.what()));
  }
}

}  // namespace linformer
