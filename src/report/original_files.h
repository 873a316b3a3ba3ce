// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linformer {

/// A file that the original crybot/linformer published, as its content is known to be.
struct OriginalFile {
  std::string name;      // the attention that was timed, or the system that translated
  std::string measured;  // "encoder", "encoder_decoder", or the test set
  double passes = 1;     // that a time in it stands for
};

/// The original file whose content this is, whatever its name and line ends; nothing for any other.
std::optional<OriginalFile> find_original_file(std::string_view content);

}  // namespace linformer
