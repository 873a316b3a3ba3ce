// SPDX-License-Identifier: Apache-2.0
#include "storage/zip_archive.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/npz.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

// Places in the records.
constexpr std::size_t kLocalSize = 30, kFlagsAt = 8, kMethodAt = 10, kCrcAt = 16, kPackedAt = 20,
                      kSizeAt = 24, kCommentAt = 32, kDiskAt = 34, kAttributesAt = 38,
                      kOffsetAt = 42;

std::string two_members() { return zip_bytes({{"a", "hello"}, {"b", "world!"}}); }

std::size_t directory_of(const std::string& bytes) { return bytes.find(kZipCentralMagic); }
std::size_t second_entry_of(const std::string& bytes) { return bytes.rfind(kZipCentralMagic); }
std::size_t second_local_of(const std::string& bytes) { return bytes.rfind(kZipLocalMagic); }

std::string refusal(const std::string& bytes) {
  return error_text<DataError>([&] { const ZipArchive archive(bytes, "f"); });
}

/// The refusal after a value of the second entry and, at `local`, of its local header changed.
template <typename T>
std::string changed(std::size_t at, T value, std::size_t local = 0) {
  std::string bytes = two_members();
  bytes = with_value(bytes, second_entry_of(bytes) + at, value);
  if (local > 0) bytes = with_value(bytes, second_local_of(bytes) + local, value);
  return refusal(bytes);
}

TEST(ZipArchive, FindsMembersWhereTheyStand) {
  const std::string bytes = two_members();
  const ZipArchive archive(bytes, "f");
  ASSERT_EQ(archive.members().size(), 2U);
  const ZipMember* member = archive.find("b");
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(archive.bytes().substr(member->data_offset, member->packed_size), "world!");
  EXPECT_EQ(member->crc, crc_of("world!"));
  EXPECT_FALSE(member->is_deflated);
  EXPECT_EQ(archive.find("c"), nullptr);
}

TEST(ZipArchive, ReadsWhatNumpyWrites) {
  for (const char* name : {"npz_stored.npz", "npz_stored_redundant.npz", "npz_deflated.npz"}) {
    const ZipArchive archive(std::string(LF_SOURCE_DIR "/tests/golden/") + name);
    ASSERT_EQ(archive.members().size(), 4U) << name;
    EXPECT_EQ(archive.members()[3].name, "tgt_masks.npy");
    EXPECT_EQ(archive.members()[3].size, 128U + 3 * 8 * 8);
    EXPECT_EQ(archive.members()[3].is_deflated, std::string_view(name) == "npz_deflated.npz");
  }
}

TEST(ZipArchive, UnknownExtraFieldsAreSkipped) {
  const ZipMember member{.name = "a", .crc = crc_of("hi"), .size = 2, .packed_size = 2};
  const std::string extra("UT\x01\x00\x07", 5);
  std::string local = encode_zip_local(member) + extra;
  local = with_value<std::uint16_t>(local, 28, 25);
  std::string central = encode_zip_central(member) + extra;
  central = with_value<std::uint16_t>(central, 30, 5);
  const std::string bytes =
      local + "hi" + central + encode_zip_end(1, central.size(), local.size() + 2);
  EXPECT_EQ(ZipArchive(bytes, "f").members()[0].data_offset, local.size());
}

TEST(ZipArchive, OtherFilesAndCutOnesAreRefused) {
  EXPECT_EQ(refusal(""), "f@0: is no zip archive (want 50 4b 03 04)");
  EXPECT_EQ(refusal("some text"), "f@0: is no zip archive (want 50 4b 03 04)");
  EXPECT_EQ(refusal(zip_bytes({})), "f@0: zip archive without members");
  const std::string whole = two_members();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(ZipArchive(std::string_view(whole).substr(0, size), "f"), DataError) << size;
  }
  EXPECT_EQ(refusal(whole.substr(0, 40)),
            "f@40: no zip end record here (the file is cut, or bytes follow its end)");
  EXPECT_EQ(refusal(whole + "x"), "f@" + std::to_string(whole.size() + 1) +
                                      ": no zip end record here (the file is cut, or bytes follow "
                                      "its end)");
  EXPECT_EQ(refusal("x" + whole), "f@0: is no zip archive (want 50 4b 03 04)");
}

TEST(ZipArchive, EndRecordsThatLieAreRefused) {
  const std::string good = two_members();
  const std::size_t end = good.size() - 22;
  const std::string at_end = "f@" + std::to_string(end);
  const std::string disks = at_end + ": zip end record of several disks or with a comment";
  EXPECT_EQ(refusal(with_value<std::uint16_t>(good, end + 4, 1)), disks);
  EXPECT_EQ(refusal(with_value<std::uint16_t>(good, end + 8, 1)), disks);
  EXPECT_EQ(refusal(with_value<std::uint16_t>(good, end + 20, 1)), disks);
  EXPECT_NE(refusal(with_value<std::uint32_t>(good, end + 12, 7)).find("contradicts itself"),
            std::string::npos);
  EXPECT_NE(refusal(with_value<std::uint32_t>(good, end + 16, ~0U)).find("contradicts itself"),
            std::string::npos);
  const auto counted = [&](std::uint16_t count) {
    return refusal(with_value<std::uint16_t>(with_value<std::uint16_t>(good, end + 8, count),
                                             end + 10, count));
  };
  EXPECT_EQ(counted(3), at_end + ": no entry of the zip directory here");
  EXPECT_EQ(counted(1), "f@" + std::to_string(second_entry_of(good)) +
                            ": bytes after the last entry of the zip directory");
  EXPECT_EQ(counted(65535), at_end + ": holds 65535 members (want at most 20000)");
}

/// The archive with the zip64 end record that a large one has.
std::string with_zip64_end(const std::string& bytes, std::uint64_t count, std::uint64_t at_offset) {
  const std::size_t end = bytes.size() - 22;
  const std::size_t directory = directory_of(bytes);
  std::string record = encode_zip_end(count, end - directory, std::uint64_t{1} << 32);
  record.resize(76);  // without the plain end record
  record = with_value<std::uint64_t>(record, 48, directory);
  record = with_value<std::uint64_t>(record, 64, at_offset);
  return bytes.substr(0, end) + record + bytes.substr(end);
}

TEST(ZipArchive, Zip64EndRecordsAreReadAndChecked) {
  const std::string plain = two_members();
  const std::size_t end = plain.size() - 22;
  const std::string good = with_zip64_end(plain, 2, end);
  EXPECT_EQ(ZipArchive(good, "f").members().size(), 2U);
  EXPECT_NE(refusal(with_zip64_end(plain, 3, end)).find("contradicts the zip64 one"),
            std::string::npos);
  EXPECT_EQ(refusal(with_zip64_end(plain, 2, end + 1)),
            "f@" + std::to_string(end) + ": zip64 end record is damaged");
  for (std::size_t at = end; at < end + 76; ++at) {
    if (at == end + 12 || at == end + 13) continue;  // version made by
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_THROW(ZipArchive(bad, "f"), DataError) << at - end;
  }
}

TEST(ZipArchive, HundredThousandMembersAreRefusedBeforeTheyAreRead) {
  const std::string bytes = with_zip64_end(two_members(), 100000, two_members().size() - 22);
  const std::size_t end = bytes.size() - 22;
  const std::string saturated = with_value<std::uint32_t>(bytes, end + 8, ~0U);
  EXPECT_EQ(refusal(saturated),
            "f@" + std::to_string(end) + ": holds 100000 members (want at most 20000)");
}

TEST(ZipArchive, MembersThatAreNoPlainFilesAreRefusedByName) {
  const std::string second =
      "f@" + std::to_string(second_local_of(two_members())) + ": zip member \"b\" ";
  EXPECT_EQ(changed<std::uint16_t>(kFlagsAt, 1), second + "is encrypted");
  EXPECT_EQ(changed<std::uint16_t>(kFlagsAt, 2), second + "has unknown flags 2");
  EXPECT_EQ(changed<std::uint16_t>(kMethodAt, 12), second + "is packed by method 12 (want 0 or 8)");
  EXPECT_EQ(changed<std::uint32_t>(kAttributesAt, 0120777U << 16), second + "is no regular file");
  for (const std::size_t at : {kCommentAt, kDiskAt, kDiskAt + 2}) {
    const std::string text = changed<std::uint16_t>(at, 1);
    EXPECT_EQ(text, second + "has a comment, another disk or internal attributes");
  }
}

/// One stored member whose CRC and sizes of `width` bytes follow its content.
std::string with_descriptor(std::size_t width) {
  const ZipMember member{.name = "a", .crc = crc_of("hello"), .size = 5, .packed_size = 5};
  std::string local = encode_zip_local(member).substr(0, kLocalSize) + "a";
  local = with_value<std::uint16_t>(local, 6, 8);
  local.replace(14, 12, std::string(12, '\0'));
  local = with_value<std::uint16_t>(local, 28, 0);
  std::string descriptor("PK\x07\x08");
  descriptor.append(reinterpret_cast<const char*>(&member.crc), 4);
  for (int i = 0; i < 2; ++i) descriptor += ("\x05" + std::string(width - 1, '\0'));
  const std::string before = local + "hello" + descriptor;
  const std::string entry = with_value<std::uint16_t>(encode_zip_central(member), kFlagsAt, 8);
  return before + entry + encode_zip_end(1, entry.size(), before.size());
}

TEST(ZipArchive, DescriptorsOfStoredMembersAreReadAndChecked) {
  for (const std::size_t width : {4U, 8U}) {
    const std::string good = with_descriptor(width);
    const ZipArchive archive(good, "f");
    const ZipMember& member = archive.members()[0];
    EXPECT_EQ(good.substr(member.data_offset, member.size), "hello");
    const std::size_t descriptor = kLocalSize + 1 + 5;
    for (std::size_t at = descriptor; at < descriptor + 8 + 2 * width; ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      EXPECT_EQ(refusal(bad),
                "f@0: zip member \"a\" has a descriptor that contradicts the zip directory");
    }
    const std::string sized = with_value<std::uint32_t>(good, 22, 5);
    EXPECT_EQ(refusal(sized),
              "f@0: zip member \"a\" was written to a pipe (its sizes follow it; write it to a "
              "file)");
  }
}

TEST(ZipArchive, LocalHeadersThatContradictTheDirectoryAreRefused) {
  const std::string bytes = two_members();
  const std::string want = "f@" + std::to_string(second_local_of(bytes)) +
                           ": zip member \"b\" has a local header that contradicts the zip "
                           "directory";
  for (std::size_t at = 0; at < kLocalSize + 1; ++at) {
    if (at >= 18 && at < 26) continue;  // sizes, of which zip64 has its own field
    if (at >= 28 && at < 30) continue;  // size of the extra fields
    std::string bad = bytes;
    const std::size_t place = second_local_of(bytes) + at;
    bad[place] = static_cast<char>(bad[place] ^ 1);
    EXPECT_EQ(refusal(bad), want) << at;
  }
  EXPECT_EQ(changed<std::uint32_t>(kCrcAt, 7), want);
  const std::size_t zip64 = second_local_of(bytes) + kLocalSize + 1 + 4;
  EXPECT_EQ(refusal(with_value<std::uint64_t>(bytes, zip64, 7)), want);
}

TEST(ZipArchive, SizesThatLieAreRefused) {
  const std::string second =
      "f@" + std::to_string(second_local_of(two_members())) + ": zip member \"b\" ";
  EXPECT_EQ(changed<std::uint32_t>(kSizeAt, 7), second + "is stored with two sizes (7 and 6)");
  EXPECT_EQ(changed<std::uint32_t>(kSizeAt, ~0U), second + "has no zip64 field");
  std::string large = two_members();
  large = with_value<std::uint32_t>(large, second_entry_of(large) + kPackedAt, 5000);
  large = with_value<std::uint32_t>(large, second_entry_of(large) + kSizeAt, 5000);
  EXPECT_EQ(refusal(large), second + "is larger than the file");
  const std::string bomb = zip_bytes({{"b", std::string(9, 'x'), true, 8000000000000}});
  EXPECT_EQ(refusal(bomb).substr(0, 60),
            "f@0: zip member \"b\" declares 8000000000000 bytes in 5 (more ");
  const std::string huge = zip_bytes({{"b", "hello", false, ~std::uint64_t{0} - 5}});
  EXPECT_EQ(refusal(huge), "f@0: zip member \"b\" is larger than the file");
}

TEST(ZipArchive, OverlapsGapsAndRepeatedNamesAreRefused) {
  const std::string bytes = two_members();
  EXPECT_EQ(changed<std::uint32_t>(kOffsetAt, 0),
            "f@0: zip member \"b\" has a local header that contradicts the zip directory");
  std::string overlap = zip_bytes({{"a", "hello"}, {"a", "hello"}});
  EXPECT_EQ(refusal(overlap),
            "f@" + std::to_string(second_local_of(overlap)) + ": zip member \"a\" occurs twice");
  // A member whose content is a whole local header and content of another.
  const std::string inner = zip_bytes({{"b", "world!"}});
  const std::string quine =
      zip_bytes({{"a", inner.substr(0, directory_of(inner))}, {"b", "world!"}});
  const std::size_t inside = quine.find(kZipLocalMagic, 1);
  const std::string nested =
      with_value(quine, second_entry_of(quine) + kOffsetAt, static_cast<std::uint32_t>(inside));
  EXPECT_EQ(refusal(nested),
            "f@" + std::to_string(inside) + ": zip member \"b\" overlaps the member before it");
  // Without its entry, the first member becomes a gap.
  const std::size_t first = directory_of(bytes);
  const std::size_t second = second_entry_of(bytes);
  const std::size_t end = bytes.size() - 22;
  const std::string gap = bytes.substr(0, first) + bytes.substr(second, end - second) +
                          encode_zip_end(1, end - second, first);
  EXPECT_NE(refusal(gap).find("\"b\" leaves a gap after the one before"), std::string::npos);
  const std::string tail = bytes.substr(0, first) + bytes.substr(first, second - first) +
                           encode_zip_end(1, second - first, first);
  EXPECT_EQ(refusal(tail),
            "f@" + std::to_string(second_local_of(bytes)) + ": bytes after the last zip member");
  EXPECT_EQ(changed<std::uint32_t>(kOffsetAt, 5000),
            "f@5000: zip member \"b\" lies outside of the "
            "archive");
}

TEST(ZipArchive, DamagedZip64FieldsAreRefused) {
  const std::string good = zip_bytes({{"a", "hi"}});
  const std::size_t extra = kLocalSize + 1;
  EXPECT_NE(refusal(with_value<std::uint16_t>(good, extra, 2)).find("\"a\" has no zip64 field"),
            std::string::npos);
  EXPECT_NE(refusal(with_value<std::uint16_t>(good, extra + 2, 100)).find("damaged extra field"),
            std::string::npos);
  EXPECT_NE(refusal(with_value<std::uint16_t>(good, extra + 2, 8)).find("wrong zip64 field"),
            std::string::npos);
  EXPECT_NE(refusal(with_value<std::uint32_t>(good, 18, 2)).find("has a wrong zip64 field"),
            std::string::npos);
}

TEST(ZipArchive, AZip64FieldMayRepeatSizesButNotContradictThem) {
  const std::string good = slurp(LF_SOURCE_DIR "/tests/golden/npz_stored_redundant.npz");
  const std::size_t field = kLocalSize + std::string_view("src.npy").size() + 4;
  EXPECT_EQ(ZipArchive(good, "f").members().size(), 4U);
  for (const std::size_t at : {field, field + 8}) {
    EXPECT_EQ(refusal(with_value<std::uint64_t>(good, at, 321)),
              "f@0: zip member \"src.npy\" has a wrong zip64 field");
  }
}

TEST(ZipArchive, MembersBeyondFourGigabytesAreFound) {
  const TempDirectory directory;
  const std::string path = directory.file("large.zip");
  const std::uint64_t size = std::uint64_t{5} << 30;
  ZipMember hole{.name = "hole", .size = size, .packed_size = size};
  const std::string first = encode_zip_local(hole);
  ZipMember far{.name = "far",
                .crc = crc_of("hi"),
                .size = 2,
                .packed_size = 2,
                .header_offset = first.size() + size};
  const std::string second = encode_zip_local(far) + "hi";
  const std::string entries = encode_zip_central(hole) + encode_zip_central(far);
  std::ofstream out(path, std::ios::binary);
  out << first;
  out.seekp(static_cast<std::streamoff>(far.header_offset));
  out << second << entries << encode_zip_end(2, entries.size(), far.header_offset + second.size());
  out.close();
  const ZipArchive archive(path);
  EXPECT_EQ(archive.find("hole")->size, size);
  EXPECT_EQ(archive.bytes().substr(archive.find("far")->data_offset, 2), "hi");
  std::filesystem::resize_file(path, size);
  EXPECT_THROW(ZipArchive{path}, DataError);
}

}  // namespace
}  // namespace linformer
