// SPDX-License-Identifier: Apache-2.0
#include "storage/zip_archive.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <initializer_list>
#include <unordered_set>

#include "base/checked_math.h"
#include "linformer/error.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

static_assert(std::endian::native == std::endian::little, "records are read as they are");

constexpr std::uint64_t kMaxMembers = 20000;
constexpr std::uint64_t kMaxInflation = 1032;  // bytes that one byte of deflate can become
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kZip64EndSize = 56,
                      kLocatorSize = 20;
constexpr std::size_t kSameSize = 10;  // version, flags, method, time and date
constexpr std::size_t kSameCrcSize = 14;
constexpr std::string_view kDescriptorMagic = "PK\x07\x08";
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint16_t kEncrypted = 1, kDescriptor = 1U << 3, kUtf8Name = 1U << 11;
constexpr std::uint32_t kFileTypeMask = 0170000, kRegularFile = 0100000;

template <typename T>
T get(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.substr(at, sizeof value).data(), sizeof value);
  return value;
}

/// What the end of a file says about its central directory.
struct Directory {
  std::uint64_t count = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;

  bool operator==(const Directory&) const = default;
};

class Parser {
 public:
  Parser(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  std::vector<ZipMember> members() {
    const Directory directory = read_end();
    if (directory.count > kMaxMembers) {
      fail(bytes_.size() - kEndSize, "holds " + std::to_string(directory.count) +
                                         " members (want at most " + std::to_string(kMaxMembers) +
                                         ")");
    }
    directory_begin_ = directory.offset;
    directory_end_ = directory.offset + directory.size;
    std::uint64_t at = directory_begin_;
    std::uint64_t next_header = 0;
    for (std::uint64_t i = 0; i < directory.count; ++i) {
      ZipMember member;
      at += read_central(at, member);
      if (member.header_offset != next_header) {
        fail_at(member, member.header_offset < next_header ? "overlaps the member before it"
                                                           : "leaves a gap after the one before");
      }
      next_header = read_local(member);
      members_.push_back(std::move(member));
    }
    if (at != directory_end_) fail(at, "bytes after the last entry of the zip directory");
    if (next_header != directory_begin_) fail(next_header, "bytes after the last zip member");
    return std::move(members_);
  }

 private:
  [[noreturn]] void fail(std::uint64_t offset, const std::string& reason) const {
    throw DataError(Place{path_, 0, 0, offset}, reason);
  }
  [[noreturn]] void fail_at(const ZipMember& member, const std::string& reason) const {
    fail(member.header_offset, "zip member " + json_string(member.name) + " " + reason);
  }

  void check_identity() const {
    if (bytes_.starts_with(kZipEndMagic)) fail(0, "zip archive without members");
    if (!bytes_.starts_with(kZipLocalMagic)) fail(0, "is no zip archive (want 50 4b 03 04)");
    if (bytes_.size() < kEndSize ||
        !bytes_.substr(bytes_.size() - kEndSize).starts_with(kZipEndMagic)) {
      fail(bytes_.size(), "no zip end record here (the file is cut, or bytes follow its end)");
    }
  }

  Directory read_end() const {
    check_identity();
    const std::size_t at = bytes_.size() - kEndSize;
    const std::string_view record = bytes_.substr(at);
    const Directory stated{get<std::uint16_t>(record, 10), get<std::uint32_t>(record, 12),
                           get<std::uint32_t>(record, 16)};
    const bool is_one_disk = get<std::uint32_t>(record, 4) == 0 &&
                             get<std::uint16_t>(record, 8) == stated.count &&
                             get<std::uint16_t>(record, 20) == 0;
    if (!is_one_disk) fail(at, "zip end record of several disks or with a comment");
    Directory directory = stated;
    std::uint64_t end = at;
    if (bytes_.size() >= kEndSize + kLocatorSize + kZip64EndSize &&
        bytes_.substr(at - kLocatorSize).starts_with(kZip64LocatorMagic)) {
      end = at - kLocatorSize - kZip64EndSize;
      directory = read_zip64_end(end);
      const Directory narrowed{std::min<std::uint64_t>(directory.count, 0xFFFF),
                               std::min<std::uint64_t>(directory.size, kZip64Marker),
                               std::min<std::uint64_t>(directory.offset, kZip64Marker)};
      if (!(stated == narrowed)) fail(at, "zip end record contradicts the zip64 one");
    }
    if (checked_add(directory.offset, directory.size) != end) {
      fail(end, "zip end record contradicts itself (directory of " +
                    std::to_string(directory.size) + " bytes at " +
                    std::to_string(directory.offset) + ", want it to end here)");
    }
    return directory;
  }

  Directory read_zip64_end(std::uint64_t at) const {
    const std::string_view record = bytes_.substr(at, kZip64EndSize);
    const std::string_view locator = bytes_.substr(at + kZip64EndSize, kLocatorSize);
    const Directory out{get<std::uint64_t>(record, 32), get<std::uint64_t>(record, 40),
                        get<std::uint64_t>(record, 48)};
    const bool is_sound =
        record.starts_with(kZip64EndMagic) && get<std::uint64_t>(record, 4) == kZip64EndSize - 12 &&
        get<std::uint16_t>(record, 14) == kZip64Version && get<std::uint64_t>(record, 16) == 0 &&
        get<std::uint64_t>(record, 24) == out.count && get<std::uint32_t>(locator, 4) == 0 &&
        get<std::uint64_t>(locator, 8) == at && get<std::uint32_t>(locator, 16) == 1;
    if (!is_sound) fail(at, "zip64 end record is damaged");
    return out;
  }

  /// Fills all but data_offset; returns the size of the entry.
  std::uint64_t read_central(std::uint64_t at, ZipMember& member) {
    if (directory_end_ - at < kCentralSize || !bytes_.substr(at).starts_with(kZipCentralMagic)) {
      fail(at, "no entry of the zip directory here");
    }
    const std::string_view entry = bytes_.substr(at, directory_end_ - at);
    const std::size_t name_size = get<std::uint16_t>(entry, 28);
    const std::size_t extra_size = get<std::uint16_t>(entry, 30);
    if (entry.size() - kCentralSize < name_size + extra_size) {
      fail(at, "entry of the zip directory is cut");
    }
    member.name = entry.substr(kCentralSize, name_size);
    member.crc = get<std::uint32_t>(entry, 16);
    member.packed_size = get<std::uint32_t>(entry, 20);
    member.size = get<std::uint32_t>(entry, 24);
    member.header_offset = get<std::uint32_t>(entry, 42);
    read_zip64(entry.substr(kCentralSize + name_size, extra_size), member,
               {&member.size, &member.packed_size, &member.header_offset});
    check_kind(entry, member);
    if (!names_.insert(entry.substr(kCentralSize, name_size)).second) {
      fail_at(member, "occurs twice");
    }
    return kCentralSize + name_size + extra_size;
  }

  /// Takes the values that a record of 32 bits had no room for from its zip64 field. Python before
  /// 3.11.4 writes the field beside values that had room; then it must repeat them all.
  void read_zip64(std::string_view extra, const ZipMember& member,
                  std::initializer_list<std::uint64_t*> values) const {
    std::vector<std::uint64_t*> wanted;
    std::ranges::copy_if(values, std::back_inserter(wanted),
                         [](const std::uint64_t* value) { return *value == kZip64Marker; });
    bool is_found = false;
    while (!extra.empty()) {
      const std::size_t size = extra.size() < 4 ? extra.size() : get<std::uint16_t>(extra, 2);
      if (extra.size() < 4 + size) fail_at(member, "has a damaged extra field");
      if (get<std::uint16_t>(extra, 0) == kZip64Extra) {
        const bool repeats = wanted.empty() && size == 8 * values.size();
        if (is_found || (!repeats && size != 8 * wanted.size())) {
          fail_at(member, "has a wrong zip64 field");
        }
        is_found = true;
        if (repeats) check_repeated(extra, member, values);
        for (std::size_t i = 0; i < wanted.size(); ++i) {
          *wanted[i] = get<std::uint64_t>(extra, 4 + 8 * i);
        }
      }
      extra.remove_prefix(4 + size);
    }
    if (!wanted.empty() && !is_found) fail_at(member, "has no zip64 field");
  }

  void check_repeated(std::string_view field, const ZipMember& member,
                      std::initializer_list<std::uint64_t*> values) const {
    std::size_t at = 4;
    for (const std::uint64_t* value : values) {
      if (get<std::uint64_t>(field, at) != *value) fail_at(member, "has a wrong zip64 field");
      at += 8;
    }
  }

  void check_kind(std::string_view entry, ZipMember& member) const {
    const auto flags = get<std::uint16_t>(entry, 8);
    const auto method = get<std::uint16_t>(entry, 10);
    const bool is_unix = get<std::uint8_t>(entry, 5) == 3;
    const std::uint32_t type = (get<std::uint32_t>(entry, 38) >> 16) & kFileTypeMask;
    if ((flags & kEncrypted) != 0) fail_at(member, "is encrypted");
    if ((flags & ~(kUtf8Name | kDescriptor)) != 0)
      fail_at(member, "has unknown flags " + std::to_string(flags));
    if (method != 0 && method != kDeflated) {
      fail_at(member, "is packed by method " + std::to_string(method) + " (want 0 or 8)");
    }
    if (is_unix && type != 0 && type != kRegularFile) fail_at(member, "is no regular file");
    if (get<std::uint16_t>(entry, 32) != 0 || get<std::uint16_t>(entry, 34) != 0 ||
        get<std::uint16_t>(entry, 36) != 0) {
      fail_at(member, "has a comment, another disk or internal attributes");
    }
    member.is_deflated = method == kDeflated;
    if (!member.is_deflated && member.size != member.packed_size) {
      fail_at(member, "is stored with two sizes (" + std::to_string(member.size) + " and " +
                          std::to_string(member.packed_size) + ")");
    }
    if (member.size / kMaxInflation > member.packed_size) {
      fail_at(member, "declares " + std::to_string(member.size) + " bytes in " +
                          std::to_string(member.packed_size) + " (more than deflate can pack)");
    }
    if (member.packed_size > directory_begin_) fail_at(member, "is larger than the file");
    check_same(entry, member, (flags & kDescriptor) != 0);
  }

  /// The fields and the name that local header and directory share. With a descriptor, CRC and
  /// sizes stand behind the content and the header has zeros, as in the files of PyTorch.
  void check_same(std::string_view entry, const ZipMember& member, bool has_descriptor) const {
    const std::uint64_t at = member.header_offset;
    if (at > directory_begin_ || directory_begin_ - at < kLocalSize + member.name.size()) {
      fail_at(member, "lies outside of the archive");
    }
    const std::string_view local = bytes_.substr(at, kLocalSize + member.name.size());
    const std::size_t same_size = has_descriptor ? kSameSize : kSameCrcSize;
    if (!local.starts_with(kZipLocalMagic) ||
        local.substr(4, same_size) != entry.substr(6, same_size) ||
        get<std::uint16_t>(local, 26) != member.name.size() ||
        local.substr(kLocalSize) != member.name) {
      fail_at(member, "has a local header that contradicts the zip directory");
    }
  }

  /// Sets data_offset; returns where the packed data end.
  std::uint64_t read_local(ZipMember& member) const {
    const std::string_view local = bytes_.substr(member.header_offset, kLocalSize);
    const std::size_t begin = kLocalSize + member.name.size();
    const std::size_t extra_size = get<std::uint16_t>(local, 28);
    const std::uint64_t room = directory_begin_ - member.header_offset;
    if (room - begin < extra_size) fail_at(member, "lies outside of the archive");
    member.data_offset = member.header_offset + begin + extra_size;
    if ((get<std::uint16_t>(local, 6) & kDescriptor) != 0) return read_descriptor(local, member);
    std::uint64_t packed_size = get<std::uint32_t>(local, 18);
    std::uint64_t size = get<std::uint32_t>(local, 22);
    read_zip64(bytes_.substr(member.header_offset + begin, extra_size), member,
               {&size, &packed_size});
    if (size != member.size || packed_size != member.packed_size) {
      fail_at(member, "has a local header that contradicts the zip directory");
    }
    if (room - begin - extra_size < packed_size) fail_at(member, "overlaps the zip directory");
    return member.data_offset + packed_size;
  }

  /// Returns where the record behind the content of a stored member ends.
  std::uint64_t read_descriptor(std::string_view local, const ZipMember& member) const {
    const bool is_open = get<std::uint32_t>(local, 14) == 0 && get<std::uint64_t>(local, 18) == 0;
    if (member.is_deflated || !is_open) {
      fail_at(member, "was written to a pipe (its sizes follow it; write it to a file)");
    }
    if (directory_begin_ - member.data_offset < member.size) {
      fail_at(member, "overlaps the zip directory");
    }
    const std::uint64_t end = member.data_offset + member.size;
    const std::string_view rest = bytes_.substr(end, directory_begin_ - end);
    for (const std::size_t width : {sizeof(std::uint64_t), sizeof(std::uint32_t)}) {
      std::string want(kDescriptorMagic);
      want.append(reinterpret_cast<const char*>(&member.crc), sizeof member.crc);
      for (int i = 0; i < 2; ++i) {
        want.append(reinterpret_cast<const char*>(&member.size), width);
      }
      const bool fits = width == sizeof member.size || member.size <= kZip64Marker;
      if (fits && rest.starts_with(want)) return end + want.size();
    }
    fail_at(member, "has a descriptor that contradicts the zip directory");
  }

  std::string_view bytes_;
  const std::string& path_;
  std::uint64_t directory_begin_ = 0;
  std::uint64_t directory_end_ = 0;
  std::vector<ZipMember> members_;
  std::unordered_set<std::string_view> names_;
};

}  // namespace

ZipArchive::ZipArchive(const std::string& path)
    : path_(path), file_(path), bytes_(file_->bytes()), members_(Parser(bytes_, path_).members()) {}

ZipArchive::ZipArchive(std::string_view bytes, const std::string& name)
    : path_(name), bytes_(bytes), members_(Parser(bytes_, path_).members()) {}

const ZipMember* ZipArchive::find(std::string_view name) const {
  const auto found = std::ranges::find(members_, name, &ZipMember::name);
  return found == members_.end() ? nullptr : &*found;
}

}  // namespace linformer
