// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "report/inputs.h"

namespace linformer {

/// True for a CSV text whose header names the columns candidate and reference.
bool is_translation_text(std::string_view text);

/// Adds a table of translations (`evaluate --output`, or the original's), plain or .gz, whose text
/// is `text`. Throws DataError as CsvReader and for a table without rows.
void read_translations(const std::string& path, std::string_view text, ReportInputs& inputs);

/// Gives tables that hold the same references the same name of their test set: an evaluation's
/// where its examples are among them (its tokenization is then theirs too), else the original's,
/// else that of the first table. A table whose translations an evaluation has as its examples takes
/// the name of its system as well.
void name_test_sets(ReportInputs& inputs);

}  // namespace linformer
