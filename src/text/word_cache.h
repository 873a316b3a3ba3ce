// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

/// Remembers the ids of words for one tokenizer and one thread. Bounded: about 8 MB. Words of up to
/// 15 bytes and 4 ids lie in one 32-byte entry, two to a cache line; the others, up to 255 bytes,
/// in a table with its own arenas that is emptied when full.
class WordCache {
 public:
  static constexpr std::size_t kMaxShortBytes = 15;
  static constexpr std::size_t kMaxInlineIds = 4;

  /// A short word as two numbers: its bytes, zeros, and its length in the last byte.
  struct Key {
    std::uint64_t low;
    std::uint64_t high;
  };
  struct alignas(32) Entry {
    std::uint64_t low;
    std::uint64_t high;  // as the key's, with the number of ids in the top four bits
    std::array<std::int32_t, kMaxInlineIds> ids;
  };

  WordCache();

  /// Key of text[0, length), length 1 to 15; 16 bytes from `text` must be readable.
  static Key key_of(const char* text, std::size_t length) {
    Key key{};
    std::memcpy(&key.low, text, 8);
    std::memcpy(&key.high, text + 8, 8);
    key.low &= kMasks[length < 8 ? length : 8];
    key.high &= kMasks[length < 8 ? 0 : length - 8];
    key.high |= static_cast<std::uint64_t>(length) << 56;
    return key;
  }

  /// The pair of entries where the key's word would be.
  Entry* bucket_of(const Key& key) const {
    const std::uint64_t mixed = (key.low ^ (key.high * kMultiplier)) * kMultiplier;
    return entries_.get() + ((mixed >> (64 - kBucketBits)) << 1);
  }

  /// The word's entry in its bucket, or nullptr.
  static const Entry* find(const Entry* bucket, const Key& key) {
    if ((bucket[0].high & kKeyBits) == key.high && bucket[0].low == key.low) return bucket;
    if ((bucket[1].high & kKeyBits) == key.high && bucket[1].low == key.low) return bucket + 1;
    return nullptr;
  }
  static std::size_t num_ids(const Entry& entry) {
    return static_cast<std::size_t>(entry.high >> 60);
  }

  /// Keeps a short word of at most kMaxInlineIds ids; the older of the bucket's two goes.
  static void insert(Entry* bucket, const Key& key, std::span<const std::int32_t> ids);

  /// Ids of a word that has no entry above; empty when unknown. Valid until the next insert_long.
  std::span<const std::int32_t> find_long(std::string_view word) const;
  /// Keeps such a word; one that is too long is not kept.
  void insert_long(std::string_view word, std::span<const std::int32_t> ids);

 private:
  static constexpr std::size_t kBucketBits = 16;
  static constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  static constexpr std::uint64_t kKeyBits = 0x0FFFFFFFFFFFFFFFULL;
  static constexpr std::array<std::uint64_t, 9> kMasks{0,
                                                       0xFFULL,
                                                       0xFFFFULL,
                                                       0xFFFFFFULL,
                                                       0xFFFFFFFFULL,
                                                       0xFFFFFFFFFFULL,
                                                       0xFFFFFFFFFFFFULL,
                                                       0xFFFFFFFFFFFFFFULL,
                                                       0xFFFFFFFFFFFFFFFFULL};

  struct LongSlot {
    std::uint64_t hash = 0;
    std::uint32_t text_begin = 0;
    std::uint32_t text_size = 0;  // 0: free
    std::uint32_t ids_begin = 0;
    std::uint32_t ids_size = 0;
  };
  struct Unmap {
    void* base;
    std::size_t size;
    void operator()(Entry* entries) const;
  };

  std::unique_ptr<Entry[], Unmap> entries_;
  std::vector<LongSlot> long_slots_;
  std::size_t num_long_ = 0;
  std::string long_text_;
  std::vector<std::int32_t> long_ids_;
};

}  // namespace linformer
