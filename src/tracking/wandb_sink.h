// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/run_config.h"
#include "tracking/process_info.h"
#include "tracking/record.h"
#include "tracking/scalars.h"
#include "tracking/wandb_log.h"
#include "tracking/wandb_settings.h"
#include "tracking/wandb_upload.h"
#include "tracking/wire_format.h"

namespace linformer {

/// Where a training stands when its log is opened.
struct TrackingStart {
  std::int64_t step = 0;       // of the checkpoint it goes on from; 0 at its beginning
  double elapsed_seconds = 0;  // of training before
};

/// A score under the name that dashboards show, e.g. "test/newstest2014/bleu".
struct Score {
  std::string name;
  double value = 0;
};

/// A run of Weights & Biases kept offline: DIRECTORY/wandb/offline-run-YYYYMMDD_HHMMSS-ID with
/// run-ID.wandb, files/ and logs/, and the link DIRECTORY/wandb/latest-run. `wandb sync` uploads
/// it. One row of history for each step, with what was trained, validated and translated there;
/// the summary has the newest value of everything. Processor and memory are recorded every 15 s.
/// With tracking.wandb_checkpoint: best, the checkpoint that did best is among the run's files in
/// the end, in files/checkpoint, as links where that is possible. Nothing is sent, unless
/// upload_live() is called, and no key is read.
class WandbSink final : public Sink {
 public:
  using Clock = std::function<double()>;

  /// Throws IoError.
  WandbSink(const WandbSettings& settings, const RunConfig& config, const TrackingStart& start,
            Clock clock = unix_seconds);
  /// A run without a final record is marked as failed. Waits for an upload under way.
  ~WandbSink() override;
  WandbSink(const WandbSink&) = delete;
  WandbSink& operator=(const WandbSink&) = delete;

  void on_progress(const StepRecord& record) override;
  void on_step(const StepRecord& record) override;
  void on_validation(const ValidationRecord& record) override;
  void on_final(const FinalRecord& record) override;
  void on_text(std::int64_t step, std::string_view text) override;
  void flush() override;

  /// Ends the log with a row of scores at `step`; `before` is the summary of what was logged
  /// before.
  void finish_with_scores(std::int64_t step,
                          const std::map<std::string, std::string, std::less<>>& before,
                          const std::vector<Score>& scores);

  /// Uploads the run from here on, while it is written (tracking/wandb_upload.h). Never throws.
  void upload_live();

  /// The offline-run-* directory.
  const std::string& path() const { return path_; }

 private:
  void write(std::uint32_t field, const Message& content);
  void write_run(const WandbSettings& settings, const RunConfig& config,
                 const TrackingStart& start);
  void set(std::int64_t step, std::string_view name, const std::string& json);
  void set_all(std::int64_t step, const std::vector<Scalar>& scalars);
  void write_row();
  void write_summary();
  void write_usage();
  void add_checkpoint();
  void end(int exit_code);
  double runtime() const { return elapsed_before_ + clock_() - started_; }

  Clock clock_;
  double started_;
  double elapsed_before_;
  std::string directory_;
  std::string path_;
  std::string log_path_;
  WandbLog log_;
  std::string checkpoint_run_;  // the run directory whose best checkpoint is added; empty: none
  std::uintmax_t checkpoint_bytes_ = 0;
  std::int64_t num_records_ = 0;
  std::int64_t row_step_ = 0;
  std::map<std::string, std::string, std::less<>> row_;  // JSON by name, of row_step_
  std::map<std::string, std::string, std::less<>> summary_;
  bool is_summary_written_ = true;
  double usage_time_;
  double usage_cpu_seconds_;
  bool is_ended_ = false;
  std::optional<WandbUpload> upload_;
};

}  // namespace linformer
