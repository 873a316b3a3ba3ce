// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace linformer {

/// Threads for `wanted` (0 = as many as the machine has): 1 to 256.
inline std::size_t thread_count(std::int64_t wanted) {
  if (wanted > 0) return static_cast<std::size_t>(std::min<std::int64_t>(wanted, 256));
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace linformer
