// SPDX-License-Identifier: Apache-2.0
#include "report/original_files.h"

#include <algorithm>
#include <cstdlib>

#include "base/digest.h"
#include "report/csv_lines.h"
#include "report/report_files.h"

namespace linformer {

std::optional<OriginalFile> find_original_file(std::string_view content) {
  std::string text(content);
  std::erase(text, '\r');
  const std::string digest = sha256_hex(text);
  for (const std::vector<std::string>& row : csv_lines(kOriginalFiles)) {
    if (row[0] != digest) continue;
    OriginalFile out{row[1], row[2]};
    if (const std::optional<double> passes = number_of(row[3])) out.passes = *passes;
    return out;
  }
  return std::nullopt;
}

}  // namespace linformer
