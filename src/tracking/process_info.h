// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace linformer {

/// The machine's name, "localhost" when it has none; never a '/'.
std::string host_name();

/// Seconds since 1970, UTC.
double unix_seconds();

/// What this process has used.
struct ProcessUsage {
  std::int64_t resident_bytes = 0;
  double cpu_seconds = 0;  // of all threads, user and system
};
ProcessUsage process_usage();

}  // namespace linformer
