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

/// Remembers the ids of words for one tokenizer and one thread. A word of up to 15 bytes lies in a
/// 32-byte entry, two to a cache line, with its ids if they are at most 4; the others, up to 255
/// bytes, in a table with its own arenas. Small at first, it grows with what it keeps to about
/// 32 MB; then words go for others.
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
    std::array<std::int32_t, kMaxInlineIds> ids;  // or, of more, where they begin in the arena
  };

  WordCache();

  /// Key of text[0, length), length 1 to 15; 16 bytes from `text` must be readable.
  static Key key_of(const char* text, std::size_t length) {
    Key key;
    std::memcpy(&key.low, text, 8);
    std::memcpy(&key.high, text + 8, 8);
    key.low &= kMasks[length < 8 ? length : 8];
    key.high &= kMasks[length < 8 ? 0 : length - 8];
    key.high |= static_cast<std::uint64_t>(length) << 56;
    return key;
  }

  /// The pair of entries where the key's word should be; valid until the next make_room.
  Entry* bucket_of(const Key& key) const {
    const std::uint64_t mixed = (key.low ^ (key.high * kMultiplier)) * kMultiplier;
    return entries_.get() + ((mixed >> shift_) << 1);
  }

  /// The word's entry, in its bucket or the one beside it, or nullptr.
  static const Entry* find(const Entry* bucket, const Key& key) {
    if (holds(bucket[0], key)) return bucket;
    if (holds(bucket[1], key)) return bucket + 1;
    const Entry* other = beside(bucket);
    if (holds(other[0], key)) return other;
    if (holds(other[1], key)) return other + 1;
    return nullptr;
  }
  static std::size_t num_ids(const Entry& entry) {
    return static_cast<std::size_t>(entry.high >> 60);
  }
  /// Ids of an entry. Valid until the next insert.
  std::span<const std::int32_t> ids_of(const Entry& entry) const {
    const std::size_t count = num_ids(entry);
    if (count <= kMaxInlineIds) return std::span(entry.ids).first(count);
    return std::span(more_ids_).subspan(static_cast<std::size_t>(entry.ids[0]), count);
  }

  /// Keeps a short word of 1 to 15 ids, unknown so far. Where both buckets are full another word
  /// goes.
  void insert(Entry* bucket, const Key& key, std::span<const std::int32_t> ids);

  /// Grows, or forgets all, where that is due: to be called now and then between insertions.
  void make_room() {
    if (num_inserted_ > grow_at_) grow();
  }

  /// Ids of a word of more than 15 bytes; empty when unknown. Valid until the next insert_long.
  std::span<const std::int32_t> find_long(std::string_view word) const;
  /// Keeps such a word; one of more than 255 bytes is not kept.
  void insert_long(std::string_view word, std::span<const std::int32_t> ids);

 private:
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
    std::size_t size;
    void operator()(Entry* entries) const;
  };
  using Entries = std::unique_ptr<Entry[], Unmap>;

  static bool holds(const Entry& entry, const Key& key) {
    return (entry.high & kKeyBits) == key.high && entry.low == key.low;
  }
  /// Buckets stand in twos, two cache lines side by side.
  template <typename E>
  static E* beside(E* bucket) {
    const auto address = reinterpret_cast<std::uintptr_t>(bucket);
    return reinterpret_cast<E*>(address ^ (2 * sizeof(Entry)));
  }

  void put(Entry* bucket, const Entry& entry);
  static Entries allocate(int bucket_bits);
  void set_entries(int bucket_bits);
  void grow();
  LongSlot& free_long_slot(std::uint64_t hash);
  void grow_long();

  Entries entries_;
  int bucket_bits_ = 0;
  int shift_ = 0;
  std::size_t num_inserted_ = 0;  // since the table has this size
  std::size_t grow_at_ = 0;
  std::vector<std::int32_t> more_ids_;
  std::vector<LongSlot> long_slots_;
  std::size_t num_long_ = 0;
  std::string long_text_;
  std::vector<std::int32_t> long_ids_;
};

}  // namespace linformer
