// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/compare_report.h"

namespace linformer {

/// One study of a lab.
struct StudyResult {
  std::string name;      // encoder, encoder_decoder, training_step, decoding
  std::string measured;  // one sentence
  std::int64_t tokens = 0;
  std::vector<CompareRow> rows;
};

/// What all studies share, and they.
struct LabResult {
  std::string device;
  std::string libtorch;
  double minutes = 0;  // that were given
  double seconds = 0;  // that it took
  std::vector<StudyResult> studies;
};

/// lab.json: {kind: "linformer-lab", version: 1, device, versions, minutes, seconds, studies:
/// [{name, unit, measured, tokens, rows}]}, rows as compare's; its newline too.
std::string lab_json(const LabResult& result);

/// The same as tables for people.
std::string lab_tables(const LabResult& result);

/// How many rows have this status.
std::int64_t count_rows(const LabResult& result, CompareStatus status);

}  // namespace linformer
