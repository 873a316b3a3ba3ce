// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace linformer {

/// The generator of numpy.random.default_rng(seed): PCG64 (XSL-RR 128/64, O'Neill 2014) seeded
/// through numpy's SeedSequence. Same draws as numpy, so that bootstrap intervals equal
/// sacreBLEU's.
class Pcg64 {
 public:
  explicit Pcg64(std::uint32_t seed);

  std::uint64_t next64();
  /// The halves of next64(), low one first.
  std::uint32_t next32();
  /// Uniform in [0, bound), bound > 0, as Generator.integers draws it (Lemire's method on 32 bits).
  std::uint32_t below(std::uint32_t bound);

 private:
  __extension__ using Uint128 = unsigned __int128;

  Uint128 state_ = 0;
  Uint128 increment_ = 0;
  bool has_half_ = false;
  std::uint32_t half_ = 0;
};

}  // namespace linformer
