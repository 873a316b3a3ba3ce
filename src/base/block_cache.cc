// SPDX-License-Identifier: Apache-2.0
#include "base/block_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

namespace linformer {
namespace {

// What precedes every block's data.
struct alignas(64) Header {
  std::size_t size;  // of the mapping; 0 = from malloc
};
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kPage = 4096;

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Sizes come in steps of a sixteenth of their leading power of two: lengths that differ little meet
// in one.
std::size_t mapping_size(std::size_t bytes) {
  const std::size_t step = std::max(kPage, std::bit_floor(bytes) / 16);
  return round_up(bytes, bytes >= 2 * kHugePage ? std::max(step, kHugePage) : step);
}

// nullptr when the machine has no more.
void* map(std::size_t size) {
  const bool is_huge = size >= 2 * kHugePage;
  const std::size_t slack = is_huge ? kHugePage : 0;
  void* const mapped =
      ::mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (!is_huge) return mapped;
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t skip = round_up(reinterpret_cast<std::uintptr_t>(begin), kHugePage) -
                           reinterpret_cast<std::uintptr_t>(begin);
  if (skip > 0) ::munmap(begin, skip);
  if (slack > skip) ::munmap(begin + skip + size, slack - skip);
  ::madvise(begin + skip, size, MADV_HUGEPAGE);  // advice only: no use in failing
  return begin + skip;
}

void* with_header(void* start, std::size_t size) { return new (start) Header{size} + 1; }

}  // namespace

void* BlockCache::take(std::size_t bytes) {
  const std::size_t want = bytes + sizeof(Header);
  if (want < bytes) throw std::bad_alloc();
  if (bytes < kSmallest) {
    void* const start = std::aligned_alloc(alignof(Header), round_up(want, alignof(Header)));
    if (start == nullptr) throw std::bad_alloc();
    return with_header(start, 0);
  }
  const std::size_t size = mapping_size(want);
  const std::lock_guard lock(mutex_);
  void* start = take_kept(size);
  if (start != nullptr) return static_cast<Header*>(start) + 1;
  evict_until_fits(size);
  start = map(size);
  while (start == nullptr && !kept_.empty()) {
    unmap(std::prev(kept_.end()));
    start = map(size);
  }
  if (start == nullptr) throw std::bad_alloc();
  in_use_ += size;
  most_in_use_ = std::max(most_in_use_, in_use_);
  return with_header(start, size);
}

void* BlockCache::take_kept(std::size_t size) {
  const auto found = kept_.lower_bound(size);
  if (found == kept_.end() || found->first > size + size / 2) return nullptr;
  void* const start = found->second.start;
  in_use_ += found->first;
  kept_bytes_ -= found->first;
  most_in_use_ = std::max(most_in_use_, in_use_);
  kept_.erase(found);
  return start;
}

void BlockCache::evict_until_fits(std::size_t size) {
  const std::size_t in_use = in_use_ + size;
  const std::size_t most = std::max(most_in_use_, in_use);
  while (!kept_.empty() && in_use + kept_bytes_ > most + most / 2) {
    unmap(std::ranges::min_element(kept_, {},
                                   [](const auto& block) { return block.second.given_back_at; }));
  }
}

void BlockCache::unmap(Blocks::iterator block) {
  ::munmap(block->second.start, block->first);
  kept_bytes_ -= block->first;
  kept_.erase(block);
}

void BlockCache::give_back(void* data) {
  if (data == nullptr) return;
  auto* const header = static_cast<Header*>(data) - 1;
  const std::size_t size = header->size;
  if (size == 0) {
    std::free(header);
    return;
  }
  const std::lock_guard lock(mutex_);
  in_use_ -= size;
  kept_bytes_ += size;
  kept_.emplace(size, Kept{header, ++clock_});
}

void BlockCache::release() {
  const std::lock_guard lock(mutex_);
  while (!kept_.empty()) unmap(kept_.begin());
  most_in_use_ = in_use_;
}

std::size_t BlockCache::bytes_in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

std::size_t BlockCache::bytes_kept() const {
  const std::lock_guard lock(mutex_);
  return kept_bytes_;
}

}  // namespace linformer
