// SPDX-License-Identifier: Apache-2.0
#include "kernels/dropout.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/dropout_hash.h"

namespace linformer {
namespace {

LF_EVERYWHERE float scaled(float x, float scale) { return x * scale; }
LF_EVERYWHERE double scaled(double x, float scale) { return x * scale; }
LF_EVERYWHERE std::uint16_t scaled(std::uint16_t x, float scale) {
  const auto bits = std::bit_cast<std::uint32_t>(
      std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16) * scale);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  const bool is_nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  return static_cast<std::uint16_t>(is_nan ? (bits >> 16) | 0x40U : rounded);
}

template <typename T>
LF_EVERYWHERE void apply(const T* input, T* output, std::uint32_t first, std::uint32_t count,
                         DropoutKey key, const DropoutMask& mask) {
  const std::uint32_t threshold = mask.threshold;
  const float scale = mask.scale;
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool is_kept = dropout_hash(first + i, key) >= threshold;
    output[i] = is_kept ? scaled(input[i], scale) : T{0};
  }
}

template <typename T>
using Apply = void(const T*, T*, std::uint32_t, std::uint32_t, DropoutKey, const DropoutMask&);

#if defined(__x86_64__)
template <typename T>
[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] void apply_avx512(const T* input, T* output,
                                                                        std::uint32_t first,
                                                                        std::uint32_t count,
                                                                        DropoutKey key,
                                                                        const DropoutMask& mask) {
  apply(input, output, first, count, key, mask);
}
template <typename T>
[[gnu::target("avx2")]] void apply_avx2(const T* input, T* output, std::uint32_t first,
                                        std::uint32_t count, DropoutKey key,
                                        const DropoutMask& mask) {
  apply(input, output, first, count, key, mask);
}
#endif
template <typename T>
void apply_plain(const T* input, T* output, std::uint32_t first, std::uint32_t count,
                 DropoutKey key, const DropoutMask& mask) {
  apply(input, output, first, count, key, mask);
}

template <typename T>
Apply<T>* fastest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq")) {
    return apply_avx512<T>;
  }
  if (__builtin_cpu_supports("avx2")) return apply_avx2<T>;
#endif
  return apply_plain<T>;
}

template <typename T>
void run(const T* input, T* output, std::uint64_t first, std::uint64_t count,
         const DropoutMask& mask) {
  static Apply<T>* const apply = fastest<T>();
  // The kernels count in 32 bits; each 2^32 elements have a key of their own.
  while (count > 0) {
    const auto low = static_cast<std::uint32_t>(first);
    const auto part = static_cast<std::uint32_t>(
        std::min<std::uint64_t>({count, (std::uint64_t{1} << 32) - low, 1U << 30}));
    apply(input, output, low, part, dropout_key(mask.key, first), mask);
    input += part;
    output += part;
    first += part;
    count -= part;
  }
}

}  // namespace

DropoutMask make_dropout_mask(std::uint64_t key, double probability) {
  return {key, static_cast<std::uint32_t>(std::lround(std::min(probability * 0x1p32, 0x1p32 - 1))),
          static_cast<float>(1.0 / (1.0 - probability))};
}

void apply_dropout(const float* input, float* output, std::uint64_t first, std::uint64_t count,
                   const DropoutMask& mask) {
  run(input, output, first, count, mask);
}
void apply_dropout(const double* input, double* output, std::uint64_t first, std::uint64_t count,
                   const DropoutMask& mask) {
  run(input, output, first, count, mask);
}
void apply_dropout(const std::uint16_t* input, std::uint16_t* output, std::uint64_t first,
                   std::uint64_t count, const DropoutMask& mask) {
  run(input, output, first, count, mask);
}

}  // namespace linformer
