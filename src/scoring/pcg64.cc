// SPDX-License-Identifier: Apache-2.0
#include "scoring/pcg64.h"

#include <array>
#include <cstddef>

namespace linformer {
namespace {

constexpr std::size_t kPoolSize = 4;
using Pool = std::array<std::uint32_t, kPoolSize>;

/// SeedSequence: hashes a seed of 32 bits into a pool of four words.
Pool mixed_pool(std::uint32_t seed) {
  std::uint32_t multiplier = 0x43b0d7e5U;
  const auto hash = [&](std::uint32_t value) {
    value ^= multiplier;
    multiplier *= 0x931e8875U;
    value *= multiplier;
    return value ^ (value >> 16);
  };
  Pool pool{};
  for (std::size_t index = 0; index < kPoolSize; ++index) pool[index] = hash(index == 0 ? seed : 0);
  for (std::size_t from = 0; from < kPoolSize; ++from) {
    for (std::size_t to = 0; to < kPoolSize; ++to) {
      if (from == to) continue;
      const std::uint32_t mixed = 0xca01f9ddU * pool[to] - 0x4973f715U * hash(pool[from]);
      pool[to] = mixed ^ (mixed >> 16);
    }
  }
  return pool;
}

/// Four words of 64 bits from the pool.
std::array<std::uint64_t, 4> seed_words(std::uint32_t seed) {
  const Pool pool = mixed_pool(seed);
  std::array<std::uint64_t, 4> words{};
  std::uint32_t multiplier = 0x8b51f9ddU;
  for (std::size_t index = 0; index < 2 * words.size(); ++index) {
    std::uint32_t value = pool[index % kPoolSize] ^ multiplier;
    multiplier *= 0x58f38dedU;
    value *= multiplier;
    value ^= value >> 16;
    words[index / 2] |= std::uint64_t{value} << (index % 2 == 0 ? 0 : 32);
  }
  return words;
}

}  // namespace

Pcg64::Pcg64(std::uint32_t seed) {
  const std::array<std::uint64_t, 4> words = seed_words(seed);
  const Uint128 start = Uint128{words[0]} << 64 | words[1];
  increment_ = (Uint128{words[2]} << 64 | words[3]) << 1 | 1;
  next64();
  state_ += start;
  next64();
}

std::uint64_t Pcg64::next64() {
  constexpr Uint128 kMultiplier = Uint128{0x2360ed051fc65da4U} << 64 | 0x4385df649fccf645U;
  state_ = state_ * kMultiplier + increment_;
  const auto high = static_cast<std::uint64_t>(state_ >> 64);
  const std::uint64_t value = high ^ static_cast<std::uint64_t>(state_);
  const unsigned rotation = static_cast<unsigned>(high >> 58);
  return value >> rotation | value << ((64 - rotation) & 63);
}

std::uint32_t Pcg64::next32() {
  if (has_half_) {
    has_half_ = false;
    return half_;
  }
  const std::uint64_t value = next64();
  has_half_ = true;
  half_ = static_cast<std::uint32_t>(value >> 32);
  return static_cast<std::uint32_t>(value);
}

std::uint32_t Pcg64::below(std::uint32_t bound) {
  if (bound == 1) return 0;
  std::uint64_t product = std::uint64_t{next32()} * bound;
  if (static_cast<std::uint32_t>(product) < bound) {
    const std::uint32_t threshold = (0U - bound) % bound;
    while (static_cast<std::uint32_t>(product) < threshold)
      product = std::uint64_t{next32()} * bound;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

}  // namespace linformer
