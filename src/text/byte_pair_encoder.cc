// SPDX-License-Identifier: Apache-2.0
#include "text/byte_pair_encoder.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <queue>

namespace linformer {
namespace {

constexpr std::size_t kMaxShort = 32;
constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
         static_cast<std::uint32_t>(right);
}

std::size_t slot_of(std::uint64_t pair, std::size_t shift) {
  return static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15ULL) >> shift);
}

}  // namespace

BytePairEncoder::BytePairEncoder(const std::array<std::int32_t, 256>& byte_ids,
                                 std::span<const Merge> merges)
    : byte_ids_(byte_ids) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(16, merges.size() * 2));
  slots_.resize(size);
  shift_ = 64 - static_cast<std::size_t>(std::countr_zero(size));
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::uint64_t pair = pair_key(merges[rank].left, merges[rank].right);
    std::size_t i = slot_of(pair, shift_);
    while (slots_[i].pair != ~std::uint64_t{0}) i = (i + 1) & (size - 1);
    slots_[i] = {pair, static_cast<std::uint32_t>(rank), merges[rank].result};
  }
}

const BytePairEncoder::Slot* BytePairEncoder::find(std::int32_t left, std::int32_t right) const {
  const std::uint64_t pair = pair_key(left, right);
  for (std::size_t i = slot_of(pair, shift_);; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].pair == pair) return &slots_[i];
    if (slots_[i].pair == ~std::uint64_t{0}) return nullptr;
  }
}

void BytePairEncoder::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (word.size() <= kMaxShort) {
    encode_short(word, ids);
  } else {
    encode_long(word, ids);
  }
}

void BytePairEncoder::encode_short(std::string_view word, std::vector<std::int32_t>& ids) const {
  std::array<std::int32_t, kMaxShort> symbols{};
  std::array<const Slot*, kMaxShort> merges{};  // of each symbol with its right neighbour
  std::size_t count = word.size();
  for (std::size_t i = 0; i < count; ++i) {
    symbols[i] = byte_ids_[static_cast<unsigned char>(word[i])];
  }
  for (std::size_t i = 0; i + 1 < count; ++i) merges[i] = find(symbols[i], symbols[i + 1]);
  while (count > 1) {
    std::size_t best = 0;
    std::uint32_t best_rank = kNoRank;
    for (std::size_t i = 0; i + 1 < count; ++i) {
      if (merges[i] != nullptr && merges[i]->rank < best_rank) {
        best = i;
        best_rank = merges[i]->rank;
      }
    }
    if (best_rank == kNoRank) break;
    symbols[best] = merges[best]->result;
    for (std::size_t i = best + 1; i + 1 < count; ++i) {
      symbols[i] = symbols[i + 1];
      merges[i] = merges[i + 1];
    }
    --count;
    if (best > 0) merges[best - 1] = find(symbols[best - 1], symbols[best]);
    if (best + 1 < count) merges[best] = find(symbols[best], symbols[best + 1]);
  }
  ids.insert(ids.end(), symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(count));
}

void BytePairEncoder::encode_long(std::string_view word, std::vector<std::int32_t>& ids) const {
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
    const Slot* slot = find(symbols[at].id, symbols[symbols[at].next].id);
    if (slot != nullptr) queue.push((static_cast<std::uint64_t>(slot->rank) << 32) | at);
  };
  for (std::uint32_t i = 0; i + 1 < size; ++i) push(i);
  while (!queue.empty()) {
    const auto rank = static_cast<std::uint32_t>(queue.top() >> 32);
    const auto at = static_cast<std::uint32_t>(queue.top());
    queue.pop();
    Symbol& symbol = symbols[at];
    if (symbol.id < 0 || symbol.next == kNone) continue;
    Symbol& right = symbols[symbol.next];
    const Slot* slot = find(symbol.id, right.id);
    if (slot == nullptr || slot->rank != rank) continue;
    symbol.id = slot->result;
    symbol.next = right.next;
    right.id = -1;
    if (symbol.next != kNone) {
      symbols[symbol.next].previous = at;
      push(at);
    }
    if (symbol.previous != kNone) push(symbol.previous);
  }
  for (const Symbol& symbol : symbols) {
    if (symbol.id >= 0) ids.push_back(symbol.id);
  }
}

}  // namespace linformer
