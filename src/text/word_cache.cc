// SPDX-License-Identifier: Apache-2.0
#include "text/word_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace linformer {
namespace {

constexpr std::size_t kLongSlots = std::size_t{1} << 16;
constexpr std::size_t kMaxProbes = 8;
constexpr std::size_t kMaxLongBytes = 255;
constexpr std::size_t kHugePage = std::size_t{1} << 21;

std::uint64_t hash_bytes(std::string_view text) {
  std::uint64_t hash = text.size();
  while (!text.empty()) {
    const std::size_t count = std::min<std::size_t>(8, text.size());
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), count);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 32;
    text.remove_prefix(count);
  }
  return hash;
}

}  // namespace

void WordCache::Unmap::operator()(Entry*) const { ::munmap(base, size); }

WordCache::WordCache() : long_slots_(kLongSlots) {
  constexpr std::size_t kBytes = (std::size_t{2} << kBucketBits) * sizeof(Entry);
  static_assert(kBytes % kHugePage == 0);
  // Fresh pages are zero, which is an empty cache; huge ones must be asked for before the first
  // touch.
  void* base = ::mmap(nullptr, kBytes + kHugePage, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) throw std::bad_alloc();
  void* aligned = base;
  std::size_t space = kBytes + kHugePage;
  std::align(kHugePage, kBytes, aligned, space);
  ::madvise(aligned, kBytes, MADV_HUGEPAGE);  // a hint: failure changes speed only
  entries_ = {static_cast<Entry*>(aligned), Unmap{base, kBytes + kHugePage}};
}

void WordCache::insert(Entry* bucket, const Key& key, std::span<const std::int32_t> ids) {
  bucket[1] = bucket[0];
  bucket[0].low = key.low;
  bucket[0].high = key.high | (static_cast<std::uint64_t>(ids.size()) << 60);
  std::copy(ids.begin(), ids.end(), bucket[0].ids.begin());
}

std::span<const std::int32_t> WordCache::find_long(std::string_view word) const {
  const std::uint64_t hash = hash_bytes(word);
  for (std::size_t probe = 0; probe < kMaxProbes; ++probe) {
    const LongSlot& slot = long_slots_[(hash + probe) % kLongSlots];
    if (slot.text_size == 0) break;
    if (slot.hash == hash &&
        std::string_view(long_text_).substr(slot.text_begin, slot.text_size) == word) {
      return std::span(long_ids_).subspan(slot.ids_begin, slot.ids_size);
    }
  }
  return {};
}

void WordCache::insert_long(std::string_view word, std::span<const std::int32_t> ids) {
  if (word.empty() || word.size() > kMaxLongBytes) return;
  if (num_long_ >= kLongSlots / 2) {
    std::fill(long_slots_.begin(), long_slots_.end(), LongSlot{});
    long_text_.clear();
    long_ids_.clear();
    num_long_ = 0;
  }
  const std::uint64_t hash = hash_bytes(word);
  for (std::size_t probe = 0; probe < kMaxProbes; ++probe) {
    LongSlot& slot = long_slots_[(hash + probe) % kLongSlots];
    if (slot.text_size != 0) continue;
    slot = {hash, static_cast<std::uint32_t>(long_text_.size()),
            static_cast<std::uint32_t>(word.size()), static_cast<std::uint32_t>(long_ids_.size()),
            static_cast<std::uint32_t>(ids.size())};
    long_text_ += word;
    long_ids_.insert(long_ids_.end(), ids.begin(), ids.end());
    ++num_long_;
    return;
  }
}

}  // namespace linformer
