// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

/// The rows below the header of a CSV text without quotes, as are the files that are compiled in.
std::vector<std::vector<std::string>> csv_lines(std::string_view text);

/// The cells of one such line.
std::vector<std::string> csv_cells(std::string_view line);

/// A number that fills the whole text; nothing otherwise.
std::optional<double> number_of(std::string_view text);

}  // namespace linformer
