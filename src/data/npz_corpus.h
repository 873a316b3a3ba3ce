// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/token_store.h"
#include "storage/npy_header.h"
#include "storage/zip_archive.h"
#include "text/tokenizer.h"

namespace linformer {

// An npz corpus (.npz): the tokenized pairs of a corpus as the original keeps them, a zip archive
// as numpy.savez or savez_compressed writes it to a file.
//
//   src.npy, tgt.npy              int64 [pairs, max_length] in C order: <s>, the ids, </s>, and
//                                 <pad> up to the end
//   src_masks.npy, tgt_masks.npy  the same shape: 1 for an id, 0 for <pad>
//   meta.npy                      optional, from this program: uint8 [bytes], a JSON object with
//                                 the tokenizer's digest (tokenizer_sha256) and max_length
//
// Without meta.npy nothing says which tokenizer made it: ids are checked against the size of the
// vocabulary alone.

/// One array of the archive.
struct NpzArray {
  ZipMember member;
  NpyHeader header;
};

/// An npz corpus, mapped read-only. Opening checks the archive, the five headers and meta.npy, and
/// reads no rows; NpzRowReader reads and checks them.
class NpzCorpus {
 public:
  /// Throws DataError naming the file and the offset or member for a file that is no such archive,
  /// and for members that are missing, unknown, of another type, or whose shapes are not one
  /// [pairs, 3 to 1048576] or contradict their sizes; CheckpointError for meta.npy that is no JSON;
  /// else as MappedFile.
  explicit NpzCorpus(const std::string& path) : NpzCorpus(ZipArchive(path)) {}
  /// The same over bytes in memory, which must outlive the object.
  NpzCorpus(std::string_view bytes, const std::string& name) : NpzCorpus(ZipArchive(bytes, name)) {}

  std::uint32_t size() const { return static_cast<std::uint32_t>(arrays_[0].header.shape[0]); }
  /// Ids of a padded row.
  std::uint32_t max_length() const {
    return static_cast<std::uint32_t>(arrays_[0].header.shape[1]);
  }
  const std::string& path() const { return archive_.path(); }
  const ZipArchive& archive() const { return archive_; }
  /// src, tgt, src_masks, tgt_masks, and meta where there is one.
  const std::vector<NpzArray>& arrays() const { return arrays_; }
  /// From meta.npy.
  const std::optional<std::string>& tokenizer_digest() const { return tokenizer_digest_; }

  /// Throws DataError with both digests when meta.npy names another tokenizer.
  void require_tokenizer(const Tokenizer& tokenizer) const;
  /// Throws DataError with both lengths when `max_length` is not that of the arrays.
  void require_max_length(std::int64_t max_length) const;

  /// Whether rows stand in the file as they are (stored), so that append_row can read them.
  bool is_mapped() const;
  /// Appends the first `length` ids after <s> of a row that NpzRowReader has checked. Throws
  /// DataError for an id outside [0, vocab_size): the file has changed since.
  void append_row(std::uint32_t pair, Side side, std::uint32_t length, std::int64_t vocab_size,
                  std::vector<std::int32_t>& out) const;

  /// Reads everything: the CRC of every member. Throws DataError.
  void verify() const;

 private:
  explicit NpzCorpus(ZipArchive archive);
  void read_meta(const ZipMember& member);

  ZipArchive archive_;
  std::vector<NpzArray> arrays_;
  std::optional<std::string> tokenizer_digest_;
};

/// The pairs of an npz corpus front to back, in flat memory. The corpus must outlive it.
class NpzRowReader {
 public:
  /// Throws as NpzCorpus::require_tokenizer.
  NpzRowReader(const NpzCorpus& corpus, const Tokenizer& tokenizer);

  /// The ids of the next pair, without specials; replaces what the vectors held. False at the end.
  /// Throws DataError naming member, row and column (from 0) for an id outside the vocabulary, a
  /// mask that is not 1 for an id and 0 for <pad>, an id after <pad>, and a row that is all <pad>,
  /// does not begin with <s> or does not end in </s>; as ZipMemberReader for damage. With the last
  /// row the CRC of every array has been verified.
  bool next(std::vector<std::int32_t>& source, std::vector<std::int32_t>& target);

 private:
  void read_side(Side side, std::vector<std::int32_t>& out);
  [[noreturn]] void fail(std::size_t array, std::size_t column, const std::string& reason) const;

  const NpzCorpus& corpus_;
  std::vector<ZipMemberReader> readers_;  // src, tgt, src_masks, tgt_masks
  std::uint32_t row_ = 0;                 // that is read next
  std::vector<std::int64_t> ids_;
  std::vector<std::int64_t> masks_;
  std::int64_t vocab_size_;
  std::int32_t bos_;
  std::int32_t eos_;
  std::int32_t pad_;
};

/// Writes a store as an npz corpus of `max_length` columns with meta.npy, in flat memory; it
/// appears whole or not at all. Returns its bytes. Throws DataError for a pair that holds <pad>,
/// InternalError for one longer than max_length - 2, Interrupted, IoError.
std::uint64_t write_npz_corpus(const TokenStore& store, const Tokenizer& tokenizer,
                               std::uint32_t max_length, const std::string& path);

}  // namespace linformer
