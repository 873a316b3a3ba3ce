// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace linformer {

/// Consecutive parts of a corpus in file order: [0, train), then validation, then test, in pairs.
struct CorpusSplit {
  std::int64_t train = 0;
  std::int64_t validation = 0;
  std::int64_t test = 0;
};

/// The original's split: int(.99 N) for training, int(.01 N) for validation, the rest for testing.
/// Throws DataError naming the part that would be empty (training or validation).
CorpusSplit compatibility_split(std::int64_t pairs);

/// A corpus that serves for validation too: its last 1 %, at least one pair. Throws DataError for
/// fewer than 2 pairs.
CorpusSplit held_out_split(std::int64_t pairs);

/// Throws UsageError for a fraction outside (0, 1] or NaN.
void check_fraction(double fraction);

/// int(pairs * fraction), the leading pairs that are used. Throws as check_fraction, and DataError
/// when no pair is left.
std::int64_t leading_pairs(std::int64_t pairs, double fraction);

}  // namespace linformer
