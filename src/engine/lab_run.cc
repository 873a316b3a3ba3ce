// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/log.h"
#include "engine/lab.h"
#include "engine/runs.h"
#include "linformer/error.h"

namespace linformer {
namespace {

void make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw IoError(path + ": cannot create it: " + error.message());
}

}  // namespace

int run_lab(const LabOptions& options, const CommonOptions& common) {
  const DeviceChoice device = choose_device(common.device, common.dtype, common.threads);
  const LabPlan plan = lab_plan(device.device.is_cuda(), options.minutes);
  log_info("device: " + device.description);
  make_directory(options.output);
  const LabResult result = run_studies(plan, device);
  const std::string json = lab_json(result);
  const std::string path = options.output + "/lab.json";
  write_file_atomically(path, json);
  write_stdout(common.json ? json : lab_tables(result));
  log_info("written: " + path);
  if (const std::int64_t skipped = count_rows(result, CompareStatus::kSkipped)) {
    log_warning(std::to_string(skipped) + " rows were skipped, the longest of each study: more " +
                "than --minutes hold");
  }
  if (const std::int64_t failed = count_rows(result, CompareStatus::kOom)) {
    throw OutOfMemoryError(std::to_string(failed) + " rows ran out of memory; see " + path);
  }
  return 0;
}

}  // namespace linformer
