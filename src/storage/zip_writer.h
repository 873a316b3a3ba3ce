// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "storage/zip_archive.h"

namespace linformer {

/// Writes an archive of stored members front to back in flat memory, byte for byte as NumPy's savez
/// does (zip64 in every local header, no time stamps). It appears whole at commit(), or not at all.
/// Throws IoError.
class ZipWriter {
 public:
  explicit ZipWriter(const std::string& path) : file_(path) {}

  /// Starts a member of exactly `size` bytes.
  void begin_member(const std::string& name, std::uint64_t size);
  void write(std::string_view content);
  /// Throws InternalError when less or more than `size` was written.
  void end_member();
  void commit();
  /// Bytes written so far.
  std::uint64_t size() const { return file_.size(); }

 private:
  AtomicFile file_;
  std::vector<ZipMember> members_;
};

// The records of such an archive.
std::string encode_zip_local(const ZipMember& member);
std::string encode_zip_central(const ZipMember& member);
/// The end record of a directory of `count` entries, after its zip64 form where one is needed.
std::string encode_zip_end(std::uint64_t count, std::uint64_t size, std::uint64_t offset);

}  // namespace linformer
