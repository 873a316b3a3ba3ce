// SPDX-License-Identifier: Apache-2.0
#include "storage/zip_writer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/npz.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

const std::string kGolden = LF_SOURCE_DIR "/tests/golden/";

TEST(ZipWriter, WritesTheBytesOfNumpy) {
  const TempDirectory directory;
  ZipWriter writer(directory.file("a.npz"));
  for (const ZipEntry& entry : npz_entries(kGoldenSource, kGoldenTarget)) {
    writer.begin_member(entry.name, entry.content.size());
    writer.write(entry.content.substr(0, 100));
    writer.write(entry.content.substr(100));
    writer.end_member();
  }
  writer.commit();
  EXPECT_EQ(slurp(directory.file("a.npz")), slurp(kGolden + "npz_stored.npz"));
  EXPECT_EQ(writer.size(), std::filesystem::file_size(directory.file("a.npz")));
}

TEST(ZipWriter, RecordsBeyondFourGigabytesAreThoseOfPython) {
  const std::uint64_t size = 6000000128;
  std::string records;
  std::uint64_t offset = 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const std::uint64_t own = i < 2 ? size : 1000;
    const ZipMember member{.name = std::to_string(i) + ".npy",
                           .crc = 0x12345678 + i,
                           .size = own,
                           .packed_size = own,
                           .header_offset = offset};
    records += encode_zip_central(member);
    offset += own + (i < 2 ? 57 : 37);
  }
  records += encode_zip_end(3, records.size(), offset);
  EXPECT_EQ(records, slurp(kGolden + "npz_zip64.bin"));
}

TEST(ZipWriter, LeavesNothingWithoutCommit) {
  const TempDirectory directory;
  {
    ZipWriter writer(directory.file("a.npz"));
    writer.begin_member("a", 1);
    writer.write("x");
    writer.end_member();
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(ZipWriter, AMemberOfAnotherSizeIsABug) {
  const TempDirectory directory;
  ZipWriter writer(directory.file("a.npz"));
  writer.begin_member("a", 2);
  writer.write("x");
  EXPECT_THROW(writer.end_member(), InternalError);
}

TEST(ZipWriter, ADirectoryThatIsNotThereIsAnIoError) {
  EXPECT_EQ(error_text<IoError>([] { const ZipWriter writer("/nowhere/a.npz"); }),
            "/nowhere/a.npz: cannot create: No such file or directory");
}

}  // namespace
}  // namespace linformer
