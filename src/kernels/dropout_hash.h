// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Inlined into versions for wider vectors, and into kernels of a GPU.
#if defined(__CUDACC__)
#define LF_EVERYWHERE __host__ __device__ __forceinline__
#else
#define LF_EVERYWHERE [[gnu::always_inline]] inline
#endif

// What decides which elements a dropout keeps, the same on every processor.
namespace linformer {

/// A bijection of 32-bit words that changes half of the bits of its result for each bit of its
/// argument (constants: C. Wellons, "Prospecting for hash functions", 2018).
LF_EVERYWHERE std::uint32_t mix(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7FEB352DU;
  x ^= x >> 15;
  x *= 0x846CA68BU;
  return x ^ (x >> 16);
}

/// The two halves of a key as elements of one block of 2^32 use it.
struct DropoutKey {
  std::uint32_t low;
  std::uint32_t high;
};
LF_EVERYWHERE DropoutKey dropout_key(std::uint64_t key, std::uint64_t index) {
  return {static_cast<std::uint32_t>(key) + 0x9E3779B9U * static_cast<std::uint32_t>(index >> 32),
          static_cast<std::uint32_t>(key >> 32)};
}

/// Element `index`, its lower 32 bits, is kept where this is at least the threshold.
LF_EVERYWHERE std::uint32_t dropout_hash(std::uint32_t index, DropoutKey key) {
  return mix(mix(index ^ key.low) + key.high);
}

}  // namespace linformer
