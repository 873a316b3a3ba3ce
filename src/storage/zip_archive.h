// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace linformer {

// Records of a zip file and the values that they may hold here.
inline constexpr std::string_view kZipLocalMagic = "PK\x03\x04";
inline constexpr std::string_view kZipCentralMagic = "PK\x01\x02";
inline constexpr std::string_view kZipEndMagic = "PK\x05\x06";
inline constexpr std::string_view kZip64EndMagic = "PK\x06\x06";
inline constexpr std::string_view kZip64LocatorMagic = "PK\x06\x07";
inline constexpr std::uint16_t kZip64Version = 45;
inline constexpr std::uint16_t kZip64Extra = 1;
inline constexpr std::uint32_t kZip64Marker = 0xFFFFFFFF;  // the value stands in a zip64 field

/// One file in an archive.
struct ZipMember {
  std::string name;
  bool is_deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t size = 0;         // of the content
  std::uint64_t packed_size = 0;  // in the archive; `size` unless deflated
  std::uint64_t header_offset = 0;
  std::uint64_t data_offset = 0;
};

/// A zip archive with zip64, memory-mapped. The structure is checked whole on opening: members
/// stored or deflated, regular files of different names, one after another from the start of the
/// file without gap or overlap; local headers equal to the central directory, which ends the file
/// without a comment; sizes within the file and within what deflate can reach; the data descriptors
/// of stored members, which PyTorch writes, equal to the directory too. Refused: encryption, links,
/// other data descriptors, several disks, more than 20,000 members. The content is checked by
/// ZipMemberReader. Throws UserError when the file cannot be opened and DataError "FILE@OFFSET:
/// reason" when it is not well formed.
class ZipArchive {
 public:
  explicit ZipArchive(const std::string& path);
  /// The same checks over bytes in memory, which must outlive the object; `name` stands for the
  /// path in errors.
  ZipArchive(std::string_view bytes, const std::string& name);

  const std::vector<ZipMember>& members() const { return members_; }
  /// Null when there is no such member.
  const ZipMember* find(std::string_view name) const;
  const std::string& path() const { return path_; }
  /// The whole file.
  std::string_view bytes() const { return bytes_; }

 private:
  std::string path_;
  std::optional<MappedFile> file_;
  std::string_view bytes_;
  std::vector<ZipMember> members_;
};

/// The content of a member front to back, inflated in flat memory. The read that reaches the end
/// verifies the CRC and that the packed data end there too. Archive and member must outlive it.
class ZipMemberReader {
 public:
  ZipMemberReader(const ZipArchive& archive, const ZipMember& member);
  ~ZipMemberReader();
  ZipMemberReader(ZipMemberReader&&) noexcept;

  /// Exactly `size` bytes. Throws DataError "FILE: MEMBER: reason" past the end and for damage.
  void read(char* out, std::size_t size);
  /// Reads what is left, for its CRC.
  void read_to_end();
  /// "FILE: MEMBER", for errors.
  const std::string& place() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace linformer
