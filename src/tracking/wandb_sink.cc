// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_sink.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "config/printer.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/json_state.h"
#include "tracking/config_values.h"

namespace linformer {
namespace {

constexpr double kUsageSeconds = 15;
constexpr char kConfigName[] = "linformer.yaml";
constexpr char kCheckpointPart[] = "checkpoint";
constexpr std::int64_t kAtEnd = 1;  // FilesItem.PolicyType
/// How long an upload may go on after training, besides a second for each MiB of a checkpoint.
constexpr std::chrono::seconds kUploadWait{30};
/// The release of the wandb package whose readers the log is tested with.
constexpr std::string_view kProducer = "0.31.0";

// Fields of wandb_internal.proto's Record.
constexpr std::uint32_t kHistory = 2;
constexpr std::uint32_t kSummary = 3;
constexpr std::uint32_t kConfig = 5;
constexpr std::uint32_t kFiles = 6;
constexpr std::uint32_t kStats = 7;
constexpr std::uint32_t kRun = 17;
constexpr std::uint32_t kExit = 18;
constexpr std::uint32_t kHeader = 21;
constexpr std::uint32_t kFooter = 22;

/// Items of config, history, summary and stats: key and value_json.
Message item(std::string_view key, std::string_view json) {
  return Message().text(1, key).text(16, json);
}

/// google.protobuf.Timestamp
Message timestamp(double seconds) {
  const double whole = std::floor(seconds);
  return Message()
      .integer(1, static_cast<std::int64_t>(whole))
      .integer(2, static_cast<std::int64_t>((seconds - whole) * 1e9));
}

std::string date_text(double seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%d_%H%M%S", &parts)};
}

/// Makes the run's directory: a later second in its name where that of `now` is taken.
std::string make_run_directory(const WandbSettings& settings, double now) {
  const std::string parent = settings.directory + "/wandb";
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) throw IoError(parent + ": cannot create: " + error.message());
  const auto name_at = [&](double seconds) {
    return "offline-run-" + date_text(seconds) + "-" + settings.run_id;
  };
  while (path_exists(parent + "/" + name_at(now))) now += 1;
  const std::string path = parent + "/" + name_at(now);
  for (const char* part : {"", "/files", "/logs"}) make_directory(path + part);
  replace_symlink(name_at(now), parent + "/latest-run");
  return path;
}

}  // namespace

WandbSink::WandbSink(const WandbSettings& settings, const RunConfig& config,
                     const TrackingStart& start, Clock clock)
    : clock_(std::move(clock)),
      started_(clock_()),
      elapsed_before_(start.elapsed_seconds),
      directory_(settings.directory),
      path_(make_run_directory(settings, started_)),
      log_path_(path_ + "/run-" + settings.run_id + ".wandb"),
      log_(log_path_),
      usage_time_(started_),
      usage_cpu_seconds_(process_usage().cpu_seconds) {
  write(kHeader, Message().message(1, Message().text(1, kProducer)));
  write_run(settings, config, start);
  if (config.tracking.wandb_checkpoint == WandbCheckpoint::kBest) {
    checkpoint_run_ = settings.run_directory;
  }
}

WandbSink::~WandbSink() {
  try {
    end(1);
    if (upload_) upload_->finish(kUploadWait + std::chrono::seconds(checkpoint_bytes_ >> 20));
  } catch (const Error&) {  // the log stays without its end, as after a crash
    if (upload_) upload_->abandon();
  }
}

void WandbSink::upload_live() { upload_.emplace(path_, log_path_, directory_); }

void WandbSink::write(std::uint32_t field, const Message& content) {
  log_.append(Message().integer(1, num_records_ + 1).message(field, content).bytes());
  ++num_records_;
}

void WandbSink::write_run(const WandbSettings& settings, const RunConfig& config,
                          const TrackingStart& start) {
  Message run;
  run.text(1, settings.run_id).text(2, settings.entity).text(3, settings.project);
  run.text(8, settings.name);
  for (const std::string& tag : settings.tags) run.text(10, tag);
  run.text(13, host_name());
  run.integer(14, start.step > 0 ? start.step + 1 : 0);
  run.message(17, timestamp(started_));
  write(kRun, run);
  Message values;
  for (const auto& [key, json] : config_json(config)) values.message(1, item(key, json));
  write(kConfig, values);
  write_file_atomically(path_ + "/files/" + kConfigName, print_config(config));
  write(kFiles, Message().message(1, Message().text(1, kConfigName)));
}

void WandbSink::set(std::int64_t step, std::string_view name, const std::string& json) {
  if (step != row_step_) write_row();
  if (row_.empty()) {
    row_step_ = step;
    row_["_step"] = std::to_string(step);
    row_["_runtime"] = real_text(runtime());
    row_["_timestamp"] = real_text(clock_());
  }
  row_[std::string(name)] = json;
}

void WandbSink::set_all(std::int64_t step, const std::vector<Scalar>& scalars) {
  for (const Scalar& scalar : scalars) set(step, scalar.name, real_text(scalar.value));
}

void WandbSink::write_row() {
  if (row_.empty()) return;
  Message history;
  for (const auto& [name, json] : row_) history.message(1, item(name, json));
  write(kHistory, history.message(2, Message().integer(1, row_step_)));
  for (const auto& [name, json] : row_) summary_[name] = json;
  is_summary_written_ = false;
  row_.clear();
}

void WandbSink::write_summary() {
  if (is_summary_written_) return;
  Message summary;
  for (const auto& [name, json] : summary_) summary.message(1, item(name, json));
  write(kSummary, summary);
  is_summary_written_ = true;
}

void WandbSink::write_usage() {
  const double now = clock_();
  const ProcessUsage usage = process_usage();
  const double cores = std::max(1U, std::thread::hardware_concurrency());
  const double seconds = std::max(1e-3, now - usage_time_);
  const double cpu_percent = 100 * (usage.cpu_seconds - usage_cpu_seconds_) / (seconds * cores);
  const double megabytes = static_cast<double>(usage.resident_bytes) / (1 << 20);
  write(kStats, Message()
                    .message(2, timestamp(now))
                    .message(3, item("cpu", real_text(cpu_percent)))
                    .message(3, item("proc.memory.rssMB", real_text(megabytes))));
  usage_time_ = now;
  usage_cpu_seconds_ = usage.cpu_seconds;
}

void WandbSink::add_checkpoint() {
  try {
    const Generation generation =
        resolve_checkpoint(checkpoint_run_, [](const std::string& reason) { log_warning(reason); });
    make_directory(path_ + "/files/" + kCheckpointPart);
    Message files;
    for (const std::string_view name : kInferenceFiles) {
      const std::string part = std::string(kCheckpointPart) + "/" + std::string(name);
      link_or_copy(generation.path + "/" + std::string(name), path_ + "/files/" + part);
      checkpoint_bytes_ += std::filesystem::file_size(path_ + "/files/" + part);
      files.message(1, Message().text(1, part).integer(2, kAtEnd));
    }
    write(kFiles, files);
  } catch (const Error& error) {
    log_warning("W&B: the run's files have no checkpoint: " + std::string(error.what()));
  }
}

void WandbSink::end(int exit_code) {
  if (is_ended_) return;
  is_ended_ = true;
  write_row();
  write_summary();
  write_usage();
  write(kExit, Message().integer(1, exit_code).integer(2, static_cast<std::int64_t>(runtime())));
  write(kFooter, Message());
}

void WandbSink::on_progress(const StepRecord& /*record*/) {
  if (clock_() - usage_time_ < kUsageSeconds) return;
  write_usage();
  if (upload_) upload_->check();
}

void WandbSink::on_step(const StepRecord& record) {
  set_all(record.step, scalars_of(record));
  on_progress(record);
}

void WandbSink::on_validation(const ValidationRecord& record) {
  set_all(record.step, scalars_of(record));
}

void WandbSink::on_text(std::int64_t step, std::string_view text) {
  set(step, kSampleName, json_string(text));
}

void WandbSink::on_final(const FinalRecord& record) {
  write_row();
  summary_["reason"] = json_string(record.reason);
  if (!record.metric.empty()) {
    summary_["best/" + record.metric] = real_text(record.best_value);
    summary_["best/step"] = std::to_string(record.best_step);
  }
  is_summary_written_ = false;
  if (!checkpoint_run_.empty()) add_checkpoint();
  end(0);
}

void WandbSink::finish_with_scores(std::int64_t step,
                                   const std::map<std::string, std::string, std::less<>>& before,
                                   const std::vector<Score>& scores) {
  summary_ = before;
  for (const Score& score : scores) set(step, score.name, real_text(score.value));
  end(0);
}

void WandbSink::flush() {
  if (!is_ended_) {
    write_row();
    write_summary();
  }
  log_.sync();
}

}  // namespace linformer
