// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "report/inputs.h"
#include "storage/json_object.h"

namespace linformer {

/// True for the JSON that `compare --json` prints.
bool is_compare_json(const JsonObject& json);
/// True for what `lab` writes as lab.json.
bool is_lab_json(const JsonObject& json);

/// Adds what one comparison has measured. Throws DataError naming file and member.
void read_compare(const JsonObject& json, ReportInputs& inputs);

/// Adds every study of a lab. Throws DataError naming file and member, and for a version above 1.
void read_lab(const JsonObject& json, ReportInputs& inputs);

/// True for a text whose first line is LENGTH/BATCH,LENGTH/BATCH,...
bool is_timing_text(std::string_view text);

/// Adds a timing file (`compare --output`, or the original's) to the rows of its kind: encoder or
/// encoder and decoder, ours or the original's. Times are seconds of a pass; of the original's
/// files the known number of passes divides them. Throws DataError naming file, line and cell.
void read_timing_file(const std::string& path, std::string_view text, ReportInputs& inputs);

}  // namespace linformer
