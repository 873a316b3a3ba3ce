// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "data/token_store.h"

namespace linformer {

inline constexpr std::size_t kStoreHeaderSize = 256;
inline constexpr std::size_t kStoreAlignment = 64;

/// The header of a token store, byte by byte as token_store.h lays it out.
struct TokenStoreHeader {
  TokenStoreInfo info;
  std::uint32_t offset_bytes = 4;
  std::array<StoreSection, 4> sections;  // source ids, target ids, source offsets, target offsets
};

/// Bytes of an id and of an offset, and the four sections, from the counts in `info`; sets
/// info.id_bytes and info.bytes too.
TokenStoreHeader lay_out_store(TokenStoreInfo info);

/// kStoreHeaderSize bytes.
std::string encode_store_header(const TokenStoreHeader& header);

/// Reads and checks the header of the whole file `bytes`. Throws DataError "FILE@OFFSET: reason".
TokenStoreHeader decode_store_header(std::string_view bytes, const std::string& path);

}  // namespace linformer
