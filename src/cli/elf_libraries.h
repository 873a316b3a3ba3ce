// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace linformer {

/// What a 64-bit ELF program says about the shared libraries it needs.
struct ElfLibraries {
  std::vector<std::string> needed;       // DT_NEEDED: file names
  std::vector<std::string> directories;  // DT_RUNPATH or DT_RPATH, $ORIGIN replaced
};

/// Reads them. Throws DataError for a file that is no such program or is damaged, and as
/// MappedFile.
ElfLibraries elf_libraries(const std::string& path);

}  // namespace linformer
