// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace linformer {

enum class CompareStatus {
  kOk,
  kRefused,  // would not fit into memory: not tried
  kTooLong,  // a Linformer's projections have too few columns
  kOom,      // did not fit
  kSkipped,  // the time was up
};

/// One kind of attention at one length. Times are of one forward pass.
struct CompareRow {
  std::string attention;
  std::string file_name;
  std::int64_t length = 0;
  std::int64_t batch = 0;
  CompareStatus status = CompareStatus::kOk;
  std::vector<double> times_ms;  // every timed run
  std::int64_t peak_bytes =
      0;  // weights in the compute type and what the pass adds at its worst moment
  double needed_bytes = 0;  // forward_bytes
  bool by_head = false;     // unfused, one head of one sentence at a time
};

/// The largest error of one kind's results over all lengths, of a tolerance.
struct CheckedKind {
  std::string attention;
  double error = 0;
  double tolerance = 0;
};

/// What all rows share.
struct CompareSetting {
  std::string config;      // file
  std::string device;      // DeviceChoice::description
  std::string libtorch;    // version
  std::string measured;    // "encoder, decoder, head and softmax"
  std::string projection;  // of the Linformer; empty = there is none
  std::int64_t tokens = 0;
  bool is_compatibility = false;
  bool is_encoder_only = false;
  std::string head;                  // the head's output: "softmax"
  std::vector<CheckedKind> checked;  // empty = not asked for
};

/// The value below which `share` of `values` lie, between neighbours by linear interpolation.
/// `values` must not be empty.
double quantile(std::vector<double> values, double share);

std::string_view status_name(CompareStatus status);

/// One JSON object and its newline.
std::string compare_json(const CompareSetting& setting, std::span<const CompareRow> rows);

/// The row as JSON: attention, n, batch, median_ms, p10_ms, p90_ms, peak_bytes, needed_bytes,
/// repeats, by_head, status.
nlohmann::ordered_json row_json(const CompareRow& row);

/// Rows as a table for people.
std::string rows_table(std::span<const CompareRow> rows);

/// The same under what they share.
std::string compare_table(const CompareSetting& setting, std::span<const CompareRow> rows);

/// The original's file for one kind: "256/64,512/32\n" (length/batch) and one line of median
/// seconds. Rows without a time are left out.
std::string compare_csv(std::span<const CompareRow> rows, const std::string& file_name);

/// OUT.csv -> OUT.NAME.csv.
std::string sibling_path(const std::string& path, const std::string& name);

}  // namespace linformer
