// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace linformer {

// A token store (.lfs): the tokenized pairs of a corpus in one file, format version 1,
// little-endian, memory-mapped.
//
//   offset size  header, 256 bytes
//        0    8  magic 89 4C 46 53 0D 0A 1A 0A ("\x89LFS\r\n\x1a\n")
//        8    4  u32 version, 1
//       12    4  u32 header size, 256
//       16    4  u32 bytes of an id: 2 when vocab_size <= 65536, else 4
//       20    4  u32 bytes of an offset: 4 when the ids of either side number below 2^32, else 8
//       24    8  u64 flags, 0 (a reader refuses flags that it does not know)
//       32    8  u64 pairs, below 2^32
//       40    8  u64 vocab_size, at most 2^31; every id is below it
//       48   16  u64 ids of the source side, u64 of the target side, specials not counted
//       64   16  u64 longest source row, u64 longest target row, in ids
//       80   64  4 x (u64 offset in the file, u64 bytes): source ids, target ids,
//                source offsets, target offsets
//      144    8  u64 file size
//      152   32  SHA-256 of the tokenizer (Tokenizer::digest, raw bytes)
//      184   32  SHA-256 of the payload: bytes 256 to the end of the file
//      216    8  zero
//      224   32  SHA-256 of bytes 0 to 223
//   payload: the four sections in that order, each starting at a multiple of 64 (zeros between
//   them, none at the end)
//     ids      u16 or u32, rows one after another in corpus order, WITHOUT <s> and </s>: whoever
//              reads limits lengths and adds specials
//     offsets  pairs + 1 values u32 or u64, counted in ids: row i is
//              ids[offsets[i] .. offsets[i + 1]); the first is 0, the last the side's number of ids

enum class Side { kSource = 0, kTarget = 1 };

/// What the header says.
struct TokenStoreInfo {
  std::uint32_t pairs = 0;
  std::uint64_t vocab_size = 0;
  std::uint64_t source_tokens = 0;
  std::uint64_t target_tokens = 0;
  std::uint64_t max_source_length = 0;
  std::uint64_t max_target_length = 0;
  std::uint64_t bytes = 0;
  std::uint32_t id_bytes = 0;
  std::string tokenizer_digest;  // 64 hexadecimal digits
  std::string payload_digest;    // 64 hexadecimal digits
};

/// Place of a section in the file.
struct StoreSection {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// A store, mapped read-only. Opening checks the header and the sizes and reads no payload, so it
/// takes a millisecond whatever the size. Safe to read from many threads.
class TokenStore {
 public:
  /// Throws DataError "FILE@OFFSET: reason" for a file that is no store, is cut, damaged in its
  /// header or newer; else as MappedFile.
  explicit TokenStore(const std::string& path);

  const TokenStoreInfo& info() const { return info_; }
  const std::string& path() const { return file_.path(); }
  std::uint32_t size() const { return info_.pairs; }
  /// Throws DataError with both digests when the store was made by another tokenizer than that with
  /// this Tokenizer::digest.
  void require_tokenizer(const std::string& digest) const;

  /// Ids of row `pair` (< size()), without specials. Throws DataError where a damaged offset makes
  /// no sense.
  std::uint32_t length(std::uint32_t pair, Side side) const;
  /// Appends the ids of a row to `out`. Throws DataError "FILE@OFFSET" for an id or offset out of
  /// range, so that a damaged store never reaches an embedding.
  void append_row(std::uint32_t pair, Side side, std::vector<std::int32_t>& out) const;
  std::vector<std::int32_t> row(std::uint32_t pair, Side side) const;
  /// length() of every row, for batch_sampler.h.
  std::vector<std::uint32_t> lengths(Side side) const;

  /// Reads everything: SHA-256 of the payload, offsets in order, ids below vocab_size. Throws
  /// DataError.
  void verify() const;

 private:
  const StoreSection& ids(Side side) const { return sections_[static_cast<std::size_t>(side)]; }
  const StoreSection& offsets(Side side) const {
    return sections_[2 + static_cast<std::size_t>(side)];
  }
  std::uint64_t tokens(Side side) const;
  std::uint64_t offset_at(std::uint64_t index, Side side) const;
  std::uint64_t row_begin(std::uint32_t pair, Side side, std::uint64_t& end) const;
  template <typename Id>
  void append_ids(std::uint64_t begin, std::uint64_t end, Side side,
                  std::vector<std::int32_t>& out) const;
  [[noreturn]] void fail(std::uint64_t offset, const std::string& reason) const;

  MappedFile file_;
  TokenStoreInfo info_;
  std::array<StoreSection, 4> sections_;  // source ids, target ids, source offsets, target offsets
  std::uint32_t offset_bytes_ = 0;
};

/// Writes a store in flat memory; it appears under its name whole at commit(), or not at all.
/// Beside it, in the same directory, lie unnamed temporary files of up to its size meanwhile.
class TokenStoreWriter {
 public:
  /// `tokenizer_digest`: 64 hexadecimal digits. Throws IoError when nothing can be written there.
  TokenStoreWriter(const std::string& path, std::uint64_t vocab_size,
                   const std::string& tokenizer_digest);
  ~TokenStoreWriter();

  /// Rows in corpus order, ids without specials. Throws InternalError for an id outside the
  /// vocabulary, DataError for more than 2^32 - 1 pairs, IoError.
  void append(std::span<const std::int32_t> source, std::span<const std::int32_t> target);
  /// What has been appended so far; `bytes` and `payload_digest` are set by commit().
  const TokenStoreInfo& info() const;
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace linformer
