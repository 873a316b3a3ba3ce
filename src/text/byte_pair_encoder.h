// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/tokenizer_spec.h"

namespace linformer {

/// Applies merges to one word: of all neighbours that have a merge, the one of lowest rank is
/// merged, the leftmost of equals, until none is left. Ids need not be in the order of ranks
/// (BART's are not). For any number of threads.
class BytePairEncoder {
 public:
  /// byte_ids: id of each single byte. merges: in order of rank, each pair once.
  BytePairEncoder(const std::array<std::int32_t, 256>& byte_ids, std::span<const Merge> merges);

  /// Writes the ids of `word` (raw bytes) to `ids`, which has room for one a byte; returns how
  /// many. O(n^2) up to 32 bytes, O(n log n) beyond.
  std::size_t encode(std::string_view word, std::int32_t* ids) const;

 private:
  /// Rank of the merge of two ids, kNoRank without one.
  std::uint32_t rank_of(std::int32_t left, std::int32_t right) const;
  std::size_t encode_short(std::string_view word, std::int32_t* ids) const;
  std::size_t encode_long(std::string_view word, std::int32_t* ids) const;

  std::array<std::int32_t, 256> byte_ids_;
  std::vector<Merge> merges_;              // by rank
  std::vector<std::uint32_t> byte_ranks_;  // of each pair of bytes: where every word begins
  /// Open addressing by the hash of a pair: 12 more bits of it and the rank.
  std::vector<std::uint32_t> slots_;
  int slot_shift_ = 0;
  /// One bit for each value of a longer part of the hash: most pairs have no merge and end here.
  std::vector<std::uint64_t> filter_;
  int filter_shift_ = 0;
};

}  // namespace linformer
