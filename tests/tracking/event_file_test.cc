// SPDX-License-Identifier: Apache-2.0
#include "tracking/event_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "linformer/error.h"
#include "storage/file_tree.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"
#include "support/tf_records.h"
#include "tracking/process_info.h"

namespace linformer {
namespace {

TEST(EventFile, ARecordIsFramedWithMaskedChecksums) {
  // By TensorBoard's RecordWriter.
  EXPECT_EQ(tf_record(""), std::string("\0\0\0\0\0\0\0\0\x29\x03\x98\x07\xd8\xea\x82\xa2", 16));
  EXPECT_EQ(tf_record("abc"), std::string("\x03\0\0\0\0\0\0\0\xb0\x99\x49\x0e"
                                          "abcnW\xf1!",
                                          19));
}

TEST(EventFile, BeginsWithItsVersion) {
  const TempDirectory directory;
  const double before = unix_seconds();
  EventFile file(directory.file("tensorboard"));
  file.add(Message().integer(2, 7));
  file.sync();
  const auto events = events_of(slurp(file.path()));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].text(3), "brain.Event:2");
  EXPECT_EQ(events[1].integer(2), 7);
  EXPECT_GE(events[0].real(1), before);
  EXPECT_LE(events[1].real(1), unix_seconds());
}

TEST(EventFile, NamesSortInTheOrderOfTheirMaking) {
  const TempDirectory directory;
  const std::string tail = "." + host_name() + "." + std::to_string(::getpid()) + ".0";
  directory.write("events.out.tfevents.8000000000.elsewhere.99999.0", "");
  directory.write("notes", "");
  for (const char* seconds : {"8000000001", "8000000002"}) {
    EXPECT_EQ(EventFile(directory.path()).path(),
              directory.file("events.out.tfevents.") + seconds + tail);
  }
}

TEST(EventFile, ADirectoryThatCannotBeMadeIsNamed) {
  EXPECT_NE(error_text<IoError>([] {
              EventFile("/proc/none/tensorboard");
            }).find("/proc/none/tensorboard"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
