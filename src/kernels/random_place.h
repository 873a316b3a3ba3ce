// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace linformer {

/// Where in a generator's sequence a kernel draws: numbers, or in a graph, which is replayed with
/// others, where on the device its replay will find them.
struct RandomPlace {
  std::uint64_t seed;
  std::uint64_t offset;
  const std::int64_t* seed_at;    // null: `seed`
  const std::int64_t* offset_at;  // what `offset` is added to; null: zero
};

}  // namespace linformer
