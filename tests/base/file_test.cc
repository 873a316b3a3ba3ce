// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::size_t count_entries(const std::string& directory) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) ++count;
  return count;
}

TEST(ErrnoText, IsTheSystemsText) { EXPECT_EQ(errno_text(ENOENT), "No such file or directory"); }

TEST(MappedFile, HoldsTheWholeContent) {
  const TempDirectory directory;
  const std::string content("a\0b\n", 4);
  EXPECT_EQ(MappedFile(directory.write("f", content)).bytes(), content);
  EXPECT_EQ(MappedFile(directory.write("empty", "")).bytes(), "");
}

TEST(MappedFile, MovedToAnOwnerStaysMapped) {
  const TempDirectory directory;
  MappedFile first(directory.write("f", "content"));
  const MappedFile second = std::move(first);
  EXPECT_EQ(second.bytes(), "content");
  EXPECT_EQ(second.path(), directory.file("f"));
}

TEST(MappedFile, WhatIsNoRegularFileIsRefusedByName) {
  const TempDirectory directory;
  const std::string fifo = directory.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto text = [](const std::string& path) {
    return error_text<UserError>([&] { const MappedFile file(path); });
  };
  EXPECT_EQ(text(fifo), fifo + ": is not a regular file");
  EXPECT_EQ(text("/dev/null"), "/dev/null: is not a regular file");
  EXPECT_EQ(text(directory.path()), directory.path() + ": is a directory (want a file)");
  EXPECT_EQ(text(directory.file("none")),
            directory.file("none") + ": cannot open: No such file or directory");
}

TEST(ReadFile, RefusesMoreThanTheLimit) {
  const TempDirectory directory;
  const std::string path = directory.write("f", "12345");
  EXPECT_EQ(read_file(path, 5), "12345");
  EXPECT_EQ(error_text<UserError>([&] { read_file(path, 4); }),
            path + ": is too large (got 5 bytes, want at most 4)");
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const TempDirectory directory;
  const std::string path = directory.file("f");
  AtomicFile file(path);
  file.write("one ");
  file.write("two");
  EXPECT_EQ(file.size(), 7U);
  EXPECT_FALSE(std::filesystem::exists(path));
  file.commit();
  EXPECT_EQ(slurp(path), "one two");
  EXPECT_EQ(count_entries(directory.path()), 1U);
}

TEST(AtomicFile, DestructionWithoutCommitLeavesTheOldFileAlone) {
  const TempDirectory directory;
  const std::string path = directory.write("f", "old");
  { AtomicFile(path).write("replacement"); }
  EXPECT_EQ(slurp(path), "old");
  EXPECT_EQ(count_entries(directory.path()), 1U);
}

TEST(AtomicFile, LargeWritesKeepTheirOrder) {
  const TempDirectory directory;
  const std::string path = directory.file("f");
  std::string wanted;
  AtomicFile file(path);
  for (const std::size_t size :
       {std::size_t{10}, std::size_t{1} << 20, std::size_t{3}, std::size_t{3} << 20}) {
    const std::string piece(size, static_cast<char>('a' + wanted.size() % 26));
    file.write(piece);
    wanted += piece;
  }
  file.commit();
  EXPECT_EQ(slurp(path), wanted);
}

TEST(AtomicFile, HeaderCanBeWrittenLast) {
  const TempDirectory directory;
  const std::string path = directory.file("f");
  AtomicFile file(path);
  file.write("????body");
  file.write_at(0, "head");
  file.write("tail");
  file.commit();
  EXPECT_EQ(slurp(path), "headbodytail");
}

TEST(AtomicFile, MissingDirectoryIsAnIoErrorNamingThePath) {
  const TempDirectory directory;
  const std::string path = directory.file("none") + "/f";
  EXPECT_EQ(error_text<IoError>([&] { const AtomicFile file(path); }),
            path + ": cannot create: No such file or directory");
}

TEST(AtomicFile, OneCallWritesAndReplaces) {
  const TempDirectory directory;
  const std::string path = directory.write("f", "old");
  write_file_atomically(path, "content");
  EXPECT_EQ(slurp(path), "content");
}

TEST(WriteFully, FullDiskIsAnIoError) {
  const int descriptor = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  EXPECT_EQ(error_text<IoError>([&] { write_fully(descriptor, "text", "out.csv"); }),
            "out.csv: cannot write: No space left on device");
  ::close(descriptor);
}

TEST(SyncDirectory, MissingDirectoryIsAnIoError) {
  EXPECT_NO_THROW(sync_directory("/tmp"));
  EXPECT_THROW(sync_directory("/nonexistent"), IoError);
}

TEST(ParentDirectory, IsWhatStandsBeforeTheLastSlash) {
  EXPECT_EQ(parent_directory("a/b/c"), "a/b");
  EXPECT_EQ(parent_directory("/a"), "/");
  EXPECT_EQ(parent_directory("a"), ".");
}

TEST(RandomName, DoesNotRepeat) {
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) names.insert(random_name("x-"));
  EXPECT_EQ(names.size(), 1000U);
  EXPECT_TRUE(names.begin()->starts_with("x-"));
}

TEST(WriteStdout, ClosedStdoutIsAnIoError) {
  EXPECT_EXIT(
      {
        ::close(STDOUT_FILENO);
        try {
          write_stdout("result\n");
          std::_Exit(0);
        } catch (const IoError& error) {
          std::_Exit(static_cast<int>(error.code()));
        }
      },
      testing::ExitedWithCode(4), "");
}

TEST(ThrowIo, TellsALackOfMemoryFromADiskThatFails) {
  EXPECT_EQ(error_text<IoError>([] { throw_io("f", "map", EIO); }),
            "f: cannot map: Input/output error");
  EXPECT_EQ(error_text<OutOfMemoryError>([] { throw_io("f", "map", ENOMEM); }),
            "f: cannot map: Cannot allocate memory");
}

TEST(FreeSpace, IsComparedWithWhatIsWanted) {
  const TempDirectory directory;
  EXPECT_NO_THROW(require_free_space(directory.path(), 1));
  EXPECT_NO_THROW(require_free_space(directory.file("a/b/c"), 1));
  EXPECT_NO_THROW(require_free_space("/proc/self/absent", std::uint64_t{1} << 62));  // says nothing
  for (const std::string& path : {directory.path(), directory.file("a/b/c")}) {
    const std::string text =
        error_text<IoError>([&] { require_free_space(path, std::uint64_t{1} << 62); });
    EXPECT_TRUE(text.starts_with(path + ": not enough space on the disk (got ")) << text;
    EXPECT_TRUE(text.ends_with(" bytes, want 4611686018427387904)")) << text;
  }
}

}  // namespace
}  // namespace linformer
