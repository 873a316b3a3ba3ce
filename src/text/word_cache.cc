// SPDX-License-Identifier: Apache-2.0
#include "text/word_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"

namespace linformer {
namespace {

constexpr int kFirstBucketBits = 13;  // half a MB
constexpr int kMostBucketBits = 18;   // 16 MB
constexpr int kGrowthBits = 2;
constexpr std::size_t kFirstLongSlots = std::size_t{1} << 10;
constexpr std::size_t kMostLongSlots = std::size_t{1} << 18;
constexpr std::size_t kMaxLongBytes = 255;
constexpr std::size_t kHugePage = std::size_t{1} << 21;

/// Of a word of 8 bytes or more.
std::uint64_t hash_bytes(std::string_view text) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  const auto word_at = [&](std::size_t i) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    return word;
  };
  std::uint64_t hash = text.size();
  for (std::size_t i = 0; i + 8 < text.size(); i += 8) {
    hash = (hash ^ word_at(i)) * kMultiplier;
    hash ^= hash >> 32;
  }
  hash = (hash ^ word_at(text.size() - 8)) * kMultiplier;
  return hash ^ (hash >> 32);
}

}  // namespace

void WordCache::Unmap::operator()(Entry* entries) const { ::munmap(entries, size); }

WordCache::WordCache() : long_slots_(kFirstLongSlots) { set_entries(kFirstBucketBits); }

/// Fresh pages are zero, which is an empty cache. Huge ones must be asked for before the first
/// touch, and begin at multiples of their size.
WordCache::Entries WordCache::allocate(int bucket_bits) {
  const std::size_t bytes = (std::size_t{2} << bucket_bits) * sizeof(Entry);
  const std::size_t slack = bytes >= kHugePage ? kHugePage : 0;
  void* base =
      ::mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) throw std::bad_alloc();
  if (slack == 0) return {static_cast<Entry*>(base), Unmap{bytes}};
  void* aligned = base;
  std::size_t space = bytes + slack;
  std::align(kHugePage, bytes, aligned, space);
  const std::size_t before = bytes + slack - space;
  if (before > 0) ::munmap(base, before);
  if (space > bytes) ::munmap(static_cast<char*>(aligned) + bytes, space - bytes);
  ::madvise(aligned, bytes, MADV_HUGEPAGE);  // a hint: failure changes speed only
  return {static_cast<Entry*>(aligned), Unmap{bytes}};
}

void WordCache::set_entries(int bucket_bits) {
  entries_ = allocate(bucket_bits);
  bucket_bits_ = bucket_bits;
  shift_ = 64 - bucket_bits;
  num_inserted_ = 0;
  grow_at_ = std::size_t{1} << bucket_bits;  // half of the entries
}

void WordCache::insert(Entry* bucket, const Key& key, std::span<const std::int32_t> ids) {
  LF_CHECK(!ids.empty() && ids.size() <= kMaxShortBytes, "as many ids as bytes at most");
  Entry entry{key.low, key.high | (static_cast<std::uint64_t>(ids.size()) << 60), {}};
  if (ids.size() <= kMaxInlineIds) {
    std::copy(ids.begin(), ids.end(), entry.ids.begin());
  } else {
    entry.ids[0] = static_cast<std::int32_t>(more_ids_.size());
    more_ids_.insert(more_ids_.end(), ids.begin(), ids.end());
  }
  put(bucket, entry);
}

void WordCache::put(Entry* bucket, const Entry& entry) {
  const std::array<Entry*, 4> places{bucket, bucket + 1, beside(bucket), beside(bucket) + 1};
  const auto free = std::find_if(places.begin(), places.end(),
                                 [](const Entry* place) { return place->high == 0; });
  // Any of four, not the oldest: five words that take turns would otherwise all be forgotten.
  Entry* place = free != places.end() ? *free : places[num_inserted_ % places.size()];
  *place = entry;
  ++num_inserted_;
}

void WordCache::grow() {
  if (bucket_bits_ == kMostBucketBits) {
    // Words go one by one; only the arena of those that went must not grow for ever.
    num_inserted_ = 0;
    if (more_ids_.size() < (std::size_t{1} << 22)) return;
    more_ids_.clear();
    set_entries(kMostBucketBits);
    return;
  }
  const Entries old = std::move(entries_);
  const std::size_t count = std::size_t{2} << bucket_bits_;
  set_entries(std::min(bucket_bits_ + kGrowthBits, kMostBucketBits));
  for (std::size_t i = 0; i < count; ++i) {
    const Entry& entry = old[i];
    if (entry.high != 0) put(bucket_of({entry.low, entry.high & kKeyBits}), entry);
  }
}

std::span<const std::int32_t> WordCache::find_long(std::string_view word) const {
  if (word.size() > kMaxLongBytes) return {};
  const std::uint64_t hash = hash_bytes(word);
  const std::size_t mask = long_slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const LongSlot& slot = long_slots_[i];
    if (slot.text_size == 0) return {};
    if (slot.hash == hash &&
        std::string_view(long_text_).substr(slot.text_begin, slot.text_size) == word) {
      return std::span(long_ids_).subspan(slot.ids_begin, slot.ids_size);
    }
  }
}

WordCache::LongSlot& WordCache::free_long_slot(std::uint64_t hash) {
  const std::size_t mask = long_slots_.size() - 1;
  std::size_t i = hash & mask;
  while (long_slots_[i].text_size != 0) i = (i + 1) & mask;
  return long_slots_[i];
}

void WordCache::grow_long() {
  if (long_slots_.size() == kMostLongSlots) {
    std::fill(long_slots_.begin(), long_slots_.end(), LongSlot{});
    long_text_.clear();
    long_ids_.clear();
    num_long_ = 0;
    return;
  }
  std::vector<LongSlot> old(long_slots_.size() << kGrowthBits);
  old.swap(long_slots_);
  for (const LongSlot& slot : old) {
    if (slot.text_size != 0) free_long_slot(slot.hash) = slot;
  }
}

void WordCache::insert_long(std::string_view word, std::span<const std::int32_t> ids) {
  if (word.size() > kMaxLongBytes) return;
  if (num_long_ >= long_slots_.size() / 2) grow_long();
  const std::uint64_t hash = hash_bytes(word);
  free_long_slot(hash) = {
      hash, static_cast<std::uint32_t>(long_text_.size()), static_cast<std::uint32_t>(word.size()),
      static_cast<std::uint32_t>(long_ids_.size()), static_cast<std::uint32_t>(ids.size())};
  long_text_ += word;
  long_ids_.insert(long_ids_.end(), ids.begin(), ids.end());
  ++num_long_;
}

}  // namespace linformer
