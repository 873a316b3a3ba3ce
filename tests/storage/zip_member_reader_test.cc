// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "linformer/error.h"
#include "storage/zip_archive.h"
#include "support/expect_error.h"
#include "support/npz.h"

namespace linformer {
namespace {

std::string text_of(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>('a' + i * i % 7);
  return out;
}

/// Reads the one member in pieces of `step` bytes.
std::string read_in_steps(const std::string& bytes, std::size_t step) {
  const ZipArchive archive(bytes, "f");
  const ZipMember& member = archive.members()[0];
  ZipMemberReader reader(archive, member);
  std::string out(member.size, '\0');
  for (std::size_t at = 0; at < out.size(); at += step) {
    reader.read(out.data() + at, std::min(step, out.size() - at));
  }
  return out;
}

std::string refusal(const std::string& bytes) {
  return error_text<DataError>([&] { read_in_steps(bytes, 1000); });
}

/// An archive with one deflated member, whose packed data are replaced.
std::string packed_as(const std::string& packed, std::string_view content) {
  const ZipMember member{.name = "a", .crc = crc_of(content), .size = content.size()};
  const auto size = static_cast<std::uint32_t>(packed.size());
  std::string local = with_value<std::uint16_t>(encode_zip_local(member), 8, 8);
  local = with_value<std::uint64_t>(local, local.size() - 8, size);
  const std::string central =
      with_value(with_value<std::uint16_t>(encode_zip_central(member), 10, 8), 20, size);
  return local + packed + central + encode_zip_end(1, central.size(), local.size() + packed.size());
}

TEST(ZipMemberReader, GivesTheContentInPiecesOfAnySize) {
  const std::string text = text_of(300000);
  for (const bool is_deflated : {false, true}) {
    const std::string bytes = zip_bytes({{"a", text, is_deflated}});
    for (const std::size_t step : {1UL, 7UL, 4096UL, 300000UL}) {
      EXPECT_EQ(read_in_steps(bytes, step), text) << is_deflated << " " << step;
    }
    const ZipArchive archive(bytes, "f");
    ZipMemberReader(archive, archive.members()[0]).read_to_end();
  }
}

TEST(ZipMemberReader, ReadingPastTheEndIsRefused) {
  const std::string bytes = zip_bytes({{"a", "hello"}});
  const ZipArchive archive(bytes, "f");
  ZipMemberReader reader(archive, archive.members()[0]);
  char out[8];
  reader.read(out, 4);
  EXPECT_EQ(error_text<DataError>([&] { reader.read(out, 2); }), "f: a: ends too early (5 bytes)");
}

TEST(ZipMemberReader, DamageIsFoundWithTheLastByte) {
  std::string bytes = zip_bytes({{"a", "hello"}});
  bytes[bytes.find("hello")] = 'j';
  const std::string text = refusal(bytes);
  EXPECT_EQ(text, "f: a: is damaged (CRC-32 " + std::to_string(crc_of("jello")) + ", want " +
                      std::to_string(crc_of("hello")) + ")");
}

TEST(ZipMemberReader, DeflatedDataMustFillTheirSizeExactly) {
  const std::string text = text_of(5000);
  const std::string packed = deflated(text, -MAX_WBITS);
  EXPECT_EQ(read_in_steps(packed_as(packed, text), 999), text);
  EXPECT_EQ(refusal(packed_as(packed, text.substr(0, 4999))),
            "f: a: inflates past its size of 4999");
  EXPECT_EQ(refusal(packed_as(packed, text + "x")), "f: a: inflates to less than its size of 5001");
  EXPECT_EQ(refusal(packed_as(packed + "x", text)), "f: a: bytes after its deflate data");
  EXPECT_EQ(refusal(packed_as(packed.substr(0, packed.size() - 1), text)),
            "f: a: damaged deflate data (they end too early)");
  EXPECT_EQ(refusal(packed_as("\x07\xFF", "hello")),
            "f: a: damaged deflate data (invalid block type)");
}

}  // namespace
}  // namespace linformer
