// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cstdlib>

namespace linformer {

/// Including this puts a test program's temporary directories into memory where the system has such
/// a place: its tests sync thousands of files.
inline const bool has_memory_directory =
    ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", /*replace=*/0) == 0;

}  // namespace linformer
