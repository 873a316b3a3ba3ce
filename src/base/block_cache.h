// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace linformer {

/// Memory blocks that are taken again after they were given back, instead of being unmapped and
/// zeroed by the kernel: the tensors of one training step have about the sizes of the last one's.
///
/// A block serves any request of 2/3 of its size or more, so that batches whose lengths differ
/// share blocks; what is kept and in use together is at most 3/2 of the most in use since the last
/// release() (the block kept longest goes first). Requests below 64 KiB go to malloc. Thread safe.
class BlockCache {
 public:
  static constexpr std::size_t kSmallest = std::size_t{64} << 10;

  BlockCache() = default;
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;
  ~BlockCache() { release(); }

  /// At least `bytes`, aligned to 64. Throws std::bad_alloc; kept blocks are given up first.
  void* take(std::size_t bytes);
  /// `data` came from take() and is not used any more; nullptr is ignored.
  void give_back(void* data);
  /// Unmaps everything that is kept.
  void release();

  /// Bytes of blocks of 64 KiB and more: taken and not given back; kept.
  std::size_t bytes_in_use() const;
  std::size_t bytes_kept() const;

 private:
  struct Kept {
    void* start;
    std::uint64_t given_back_at;
  };
  using Blocks = std::multimap<std::size_t, Kept>;  // by size

  void* take_kept(std::size_t size);
  void evict_until_fits(std::size_t size);
  void unmap(Blocks::iterator block);

  mutable std::mutex mutex_;
  Blocks kept_;
  std::size_t kept_bytes_ = 0;
  std::size_t in_use_ = 0;
  std::size_t most_in_use_ = 0;
  std::uint64_t clock_ = 0;
};

}  // namespace linformer
