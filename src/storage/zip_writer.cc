// SPDX-License-Identifier: Apache-2.0
#include "storage/zip_writer.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"

namespace linformer {
namespace {

constexpr std::uint64_t kLargest = 0x7FFFFFFF;  // what Python's zipfile writes without zip64
constexpr std::uint16_t kFirstDay = 0x0021;     // 1980-01-01
constexpr std::uint16_t kMadeByUnix = 3U << 8;
constexpr std::uint32_t kAttributes = 0600U << 16;
constexpr std::uint64_t kCrcAt = 14;  // in a local header

template <typename T>
void put(std::string& out, std::uint64_t value) {
  const T narrow = static_cast<T>(value);
  out.append(reinterpret_cast<const char*>(&narrow), sizeof narrow);
}

/// What local header and directory share: version to CRC.
void put_common(std::string& out, const ZipMember& member) {
  put<std::uint16_t>(out, kZip64Version);
  put<std::uint16_t>(out, 0);  // flags
  put<std::uint16_t>(out, 0);  // stored
  put<std::uint16_t>(out, 0);  // time
  put<std::uint16_t>(out, kFirstDay);
  put<std::uint32_t>(out, member.crc);
}

std::string zip64_extra(std::initializer_list<std::uint64_t> values) {
  std::string out;
  put<std::uint16_t>(out, kZip64Extra);
  put<std::uint16_t>(out, 8 * values.size());
  for (const std::uint64_t value : values) put<std::uint64_t>(out, value);
  return out;
}

}  // namespace

std::string encode_zip_local(const ZipMember& member) {
  std::string out(kZipLocalMagic);
  const std::string extra = zip64_extra({member.size, member.size});
  put_common(out, member);
  put<std::uint32_t>(out, kZip64Marker);
  put<std::uint32_t>(out, kZip64Marker);
  put<std::uint16_t>(out, member.name.size());
  put<std::uint16_t>(out, extra.size());
  return out + member.name + extra;
}

std::string encode_zip_central(const ZipMember& member) {
  const bool is_large = member.size > kLargest;
  const bool is_far = member.header_offset > kLargest;
  std::string extra;
  if (is_large && is_far) {
    extra = zip64_extra({member.size, member.size, member.header_offset});
  } else if (is_large) {
    extra = zip64_extra({member.size, member.size});
  } else if (is_far) {
    extra = zip64_extra({member.header_offset});
  }
  std::string out(kZipCentralMagic);
  put<std::uint16_t>(out, kMadeByUnix | kZip64Version);
  put_common(out, member);
  put<std::uint32_t>(out, is_large ? kZip64Marker : member.size);
  put<std::uint32_t>(out, is_large ? kZip64Marker : member.size);
  put<std::uint16_t>(out, member.name.size());
  put<std::uint16_t>(out, extra.size());
  put<std::uint16_t>(out, 0);  // comment
  put<std::uint16_t>(out, 0);  // disk
  put<std::uint16_t>(out, 0);  // internal attributes
  put<std::uint32_t>(out, kAttributes);
  put<std::uint32_t>(out, is_far ? kZip64Marker : member.header_offset);
  return out + member.name + extra;
}

std::string encode_zip_end(std::uint64_t count, std::uint64_t size, std::uint64_t offset) {
  std::string out;
  if (offset > kLargest) {
    out += kZip64EndMagic;
    put<std::uint64_t>(out, 44);  // bytes of the record from here on
    put<std::uint16_t>(out, kZip64Version);
    put<std::uint16_t>(out, kZip64Version);
    put<std::uint32_t>(out, 0);  // this disk
    put<std::uint32_t>(out, 0);  // the directory's
    put<std::uint64_t>(out, count);
    put<std::uint64_t>(out, count);
    put<std::uint64_t>(out, size);
    put<std::uint64_t>(out, offset);
    out += kZip64LocatorMagic;
    put<std::uint32_t>(out, 0);  // disk
    put<std::uint64_t>(out, offset + size);
    put<std::uint32_t>(out, 1);  // disks
  }
  out += kZipEndMagic;
  put<std::uint32_t>(out, 0);  // both disks
  put<std::uint16_t>(out, count);
  put<std::uint16_t>(out, count);
  put<std::uint32_t>(out, size);
  put<std::uint32_t>(out, std::min<std::uint64_t>(offset, kZip64Marker));
  put<std::uint16_t>(out, 0);  // comment
  return out;
}

void ZipWriter::begin_member(const std::string& name, std::uint64_t size) {
  members_.push_back(
      {.name = name, .size = size, .packed_size = size, .header_offset = file_.size()});
  file_.write(encode_zip_local(members_.back()));
  members_.back().data_offset = file_.size();
}

void ZipWriter::write(std::string_view content) {
  ZipMember& member = members_.back();
  member.crc = static_cast<std::uint32_t>(
      crc32_z(member.crc, reinterpret_cast<const Bytef*>(content.data()), content.size()));
  file_.write(content);
}

void ZipWriter::end_member() {
  const ZipMember& member = members_.back();
  LF_CHECK(file_.size() - member.data_offset == member.size, "size of " + member.name);
  std::string crc;
  put<std::uint32_t>(crc, member.crc);
  file_.write_at(member.header_offset + kCrcAt, crc);
}

void ZipWriter::commit() {
  const std::uint64_t offset = file_.size();
  for (const ZipMember& member : members_) file_.write(encode_zip_central(member));
  const std::uint64_t end = file_.size();
  file_.write(encode_zip_end(members_.size(), end - offset, offset));
  file_.commit();
}

}  // namespace linformer
