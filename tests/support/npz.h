// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/npy_header.h"
#include "storage/zip_writer.h"
#include "support/gzip.h"

namespace linformer {

/// A member of an archive; `size` is what is declared where it lies.
struct ZipEntry {
  std::string name;
  std::string content;
  bool is_deflated = false;
  std::uint64_t size = content.size();
};

inline std::uint32_t crc_of(std::string_view text) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

/// `bytes` with those at `at` replaced by the value.
template <typename T>
std::string with_value(std::string bytes, std::size_t at, T value) {
  bytes.replace(at, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

/// An archive as numpy.savez and savez_compressed lay it out.
inline std::string zip_bytes(const std::vector<ZipEntry>& entries) {
  std::string out;
  std::string directory;
  for (const ZipEntry& entry : entries) {
    const ZipMember member{.name = entry.name,
                           .crc = crc_of(entry.content),
                           .size = entry.size,
                           .packed_size = entry.size,
                           .header_offset = out.size()};
    const std::string packed =
        entry.is_deflated ? deflated(entry.content, -MAX_WBITS) : entry.content;
    std::string local = encode_zip_local(member);
    std::string central = encode_zip_central(member);
    if (entry.is_deflated) {
      local = with_value<std::uint16_t>(local, 8, 8);
      local = with_value<std::uint64_t>(local, local.size() - 8, packed.size());
      central = with_value<std::uint16_t>(central, 10, 8);
      const bool is_large = entry.size > 0x7FFFFFFF;
      central = is_large ? with_value<std::uint64_t>(central, central.size() - 8, packed.size())
                         : with_value(central, 20, static_cast<std::uint32_t>(packed.size()));
    }
    out += local + packed;
    directory += central;
  }
  const std::size_t offset = out.size();
  return out + directory + encode_zip_end(entries.size(), directory.size(), offset);
}

/// Rows of a padded array.
using Rows = std::vector<std::vector<std::int64_t>>;

inline std::string npy_bytes(const Rows& rows) {
  std::string out = encode_npy_header("<i8", {rows.size(), rows.empty() ? 0 : rows[0].size()});
  for (const auto& row : rows) {
    out.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(std::int64_t));
  }
  return out;
}

/// 0 where an id is 1 (<pad>), else 1.
inline Rows masks_of(const Rows& rows) {
  Rows out = rows;
  for (auto& row : out) {
    for (auto& id : row) id = id == 1 ? 0 : 1;
  }
  return out;
}

/// The members of an npz corpus: src, tgt, src_masks, tgt_masks.
inline std::vector<ZipEntry> npz_entries(const Rows& source, const Rows& target,
                                         bool is_deflated = false) {
  return {{"src.npy", npy_bytes(source), is_deflated},
          {"tgt.npy", npy_bytes(target), is_deflated},
          {"src_masks.npy", npy_bytes(masks_of(source)), is_deflated},
          {"tgt_masks.npy", npy_bytes(masks_of(target)), is_deflated}};
}

/// What tests/golden/npz_*.npz hold.
inline const Rows kGoldenSource{
    {0, 82, 81, 72, 2, 1, 1, 1}, {0, 5, 2, 1, 1, 1, 1, 1}, {0, 10, 11, 12, 13, 14, 15, 2}};
inline const Rows kGoldenTarget{
    {0, 87, 90, 82, 2, 1, 1, 1}, {0, 260, 6, 7, 2, 1, 1, 1}, {0, 20, 2, 1, 1, 1, 1, 1}};

}  // namespace linformer
