// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace linformer {

/// Which elements of a tensor one dropout keeps: element i is kept when the 32-bit
/// hash(key, i) is at least `threshold`, so a mask is never stored and does not depend on threads.
struct DropoutMask {
  std::uint64_t key = 0;
  std::uint32_t threshold = 0;  // probability of dropping, times 2^32
  float scale = 1.0F;           // what a kept element is multiplied by: 1 / (1 - probability)
};

/// `probability` in [0, 1).
DropoutMask make_dropout_mask(std::uint64_t key, double probability);

/// output[i] = input[i] * scale where element first + i is kept, else 0, for 0 <= i < count. The
/// ranges are the same or do not overlap. bfloat16 travels as its bits and is rounded to nearest
/// even. Runs on the widest vectors that the processor has, with the same result on all.
void apply_dropout(const float* input, float* output, std::uint64_t first, std::uint64_t count,
                   const DropoutMask& mask);
void apply_dropout(const double* input, double* output, std::uint64_t first, std::uint64_t count,
                   const DropoutMask& mask);
void apply_dropout(const std::uint16_t* input, std::uint16_t* output, std::uint64_t first,
                   std::uint64_t count, const DropoutMask& mask);

}  // namespace linformer
