// SPDX-License-Identifier: Apache-2.0
#include "text/byte_pair_encoder.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <queue>

#include "base/check.h"

namespace linformer {
namespace {

constexpr std::size_t kMaxShort = 32;
constexpr int kPositionBits = 5;
constexpr int kRankBits = 20;
constexpr std::uint32_t kNoRank = 1U << kRankBits;
constexpr std::uint32_t kFree = ~std::uint32_t{0};
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

static_assert(kMaxTokens <= kNoRank, "a rank is packed into kRankBits");
static_assert(kMaxShort == 1U << kPositionBits);

std::uint64_t hash_pair(std::int32_t left, std::int32_t right) {
  const std::uint64_t pair = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
                             static_cast<std::uint32_t>(right);
  return pair * 0x9E3779B97F4A7C15ULL;
}

/// The part of the hash that a slot holds, in place; its high bits say which slot.
std::uint32_t tag_of(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 12) & ~(kNoRank - 1);
}

}  // namespace

BytePairEncoder::BytePairEncoder(const std::array<std::int32_t, 256>& byte_ids,
                                 std::span<const Merge> merges)
    : byte_ids_(byte_ids), merges_(merges.begin(), merges.end()) {
  LF_CHECK(merges.size() < kNoRank - 1, "too many merges for the packed table");
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(16, merges.size() * 2));
  slots_.resize(size, kFree);
  slot_shift_ = 64 - std::countr_zero(size);
  const std::size_t filter_bits = std::max<std::size_t>(64, size * 4);
  filter_.resize(filter_bits / 64);
  filter_shift_ = 64 - std::countr_zero(filter_bits);
  for (std::uint32_t rank = 0; rank < merges.size(); ++rank) {
    const std::uint64_t hash = hash_pair(merges[rank].left, merges[rank].right);
    std::size_t i = hash >> slot_shift_;
    while (slots_[i] != kFree) i = (i + 1) & (size - 1);
    slots_[i] = tag_of(hash) | rank;
    const std::uint64_t bit = hash >> filter_shift_;
    filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
  byte_ranks_.reserve(std::size_t{256} * 256);
  for (const std::int32_t left : byte_ids_) {
    for (const std::int32_t right : byte_ids_) byte_ranks_.push_back(rank_of(left, right));
  }
}

inline std::uint32_t BytePairEncoder::rank_of(std::int32_t left, std::int32_t right) const {
  const std::uint64_t hash = hash_pair(left, right);
  const std::uint64_t bit = hash >> filter_shift_;
  if ((filter_[bit / 64] >> (bit % 64) & 1) == 0) return kNoRank;
  for (std::size_t i = hash >> slot_shift_;; i = (i + 1) & (slots_.size() - 1)) {
    const std::uint32_t slot = slots_[i];
    if (slot == kFree) return kNoRank;
    const std::uint32_t rank = slot & (kNoRank - 1);
    if ((slot ^ rank) != tag_of(hash)) continue;
    if (merges_[rank].left == left && merges_[rank].right == right) return rank;
  }
}

std::size_t BytePairEncoder::encode(std::string_view word, std::int32_t* ids) const {
  return word.size() <= kMaxShort ? encode_short(word, ids) : encode_long(word, ids);
}

std::size_t BytePairEncoder::encode_short(std::string_view word, std::int32_t* ids) const {
  // Symbols stay where their first byte was. A key is the rank of the merge with the next symbol,
  // then the position, so that the smallest key is the merge to do.
  std::array<std::int32_t, kMaxShort> symbols;
  std::array<std::uint32_t, kMaxShort> keys;
  std::array<std::uint8_t, kMaxShort + 1> previous;
  std::array<std::uint8_t, kMaxShort + 1> next;
  constexpr std::uint32_t kNoKey = kNoRank << kPositionBits;
  const std::size_t size = word.size();
  const auto key_at = [&](std::size_t i) {
    if (next[i] == size) return kNoKey;
    const std::uint32_t rank = rank_of(symbols[i], symbols[next[i]]);
    return (rank << kPositionBits) | static_cast<std::uint32_t>(i);
  };
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(word[i]);
    symbols[i] = byte_ids_[byte];
    previous[i + 1] = static_cast<std::uint8_t>(i);
    next[i] = static_cast<std::uint8_t>(i + 1);
    keys[i] = kNoKey;
    if (i + 1 < size) {
      const std::size_t pair = byte * std::size_t{256} + static_cast<unsigned char>(word[i + 1]);
      keys[i] = (byte_ranks_[pair] << kPositionBits) | static_cast<std::uint32_t>(i);
    }
  }
  for (;;) {
    std::uint32_t best = kNoKey;
    for (std::size_t i = 0; i < size; ++i) best = std::min(best, keys[i]);
    if (best == kNoKey) break;
    const std::size_t at = best & (kMaxShort - 1);
    const std::size_t merged = next[at];
    symbols[at] = merges_[best >> kPositionBits].result;
    keys[merged] = kNoKey;
    next[at] = next[merged];
    previous[next[at]] = static_cast<std::uint8_t>(at);
    keys[at] = key_at(at);
    if (at > 0) keys[previous[at]] = key_at(previous[at]);
  }
  std::int32_t* out = ids;
  for (std::size_t i = 0; i < size; i = next[i]) *out++ = symbols[i];
  return static_cast<std::size_t>(out - ids);
}

std::size_t BytePairEncoder::encode_long(std::string_view word, std::int32_t* ids) const {
  struct Symbol {
    std::int32_t id;  // -1: merged into the one before
    std::uint32_t previous;
    std::uint32_t next;
  };
  const auto size = static_cast<std::uint32_t>(word.size());
  std::vector<Symbol> symbols(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    symbols[i] = {byte_ids_[static_cast<unsigned char>(word[i])], i == 0 ? kNone : i - 1,
                  i + 1 == size ? kNone : i + 1};
  }
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> queue;
  const auto push = [&](std::uint32_t at) {
    const std::uint32_t rank = rank_of(symbols[at].id, symbols[symbols[at].next].id);
    if (rank != kNoRank) queue.push((static_cast<std::uint64_t>(rank) << 32) | at);
  };
  for (std::uint32_t i = 0; i + 1 < size; ++i) push(i);
  while (!queue.empty()) {
    const auto rank = static_cast<std::uint32_t>(queue.top() >> 32);
    const auto at = static_cast<std::uint32_t>(queue.top());
    queue.pop();
    Symbol& symbol = symbols[at];
    if (symbol.id < 0 || symbol.next == kNone) continue;
    Symbol& right = symbols[symbol.next];
    if (rank_of(symbol.id, right.id) != rank) continue;
    symbol.id = merges_[rank].result;
    symbol.next = right.next;
    right.id = -1;
    if (symbol.next != kNone) {
      symbols[symbol.next].previous = at;
      push(at);
    }
    if (symbol.previous != kNone) push(symbol.previous);
  }
  std::int32_t* out = ids;
  for (const Symbol& symbol : symbols) {
    if (symbol.id >= 0) *out++ = symbol.id;
  }
  return static_cast<std::size_t>(out - ids);
}

}  // namespace linformer
