// SPDX-License-Identifier: Apache-2.0
#include "base/input_stream.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::string read_all(const std::string& path) {
  InputStream stream(path);
  std::string out;
  std::vector<char> buffer(1000);
  while (const std::size_t count = stream.read(buffer.data(), buffer.size())) {
    out.append(buffer.data(), count);
  }
  return out;
}

std::vector<std::string> read_lines(const std::string& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  std::string_view line;
  while (reader.next(line)) lines.emplace_back(line);
  return lines;
}

std::string many_lines() {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

TEST(InputStream, PlainAndGzipGiveTheSameText) {
  const TempDirectory directory;
  const std::string text = many_lines();
  EXPECT_EQ(read_all(directory.write("a.txt", text)), text);
  EXPECT_EQ(read_all(directory.write("a.txt.gz", gzip_bytes(text))), text);
  EXPECT_EQ(read_all(directory.write("empty", "")), "");
}

TEST(InputStream, GzipMembersFollowOneAnother) {
  const TempDirectory directory;
  EXPECT_EQ(
      read_all(directory.write("a.gz", gzip_bytes("one\n") + gzip_bytes("") + gzip_bytes("two\n"))),
      "one\ntwo\n");
}

TEST(InputStream, NameAndContentMustAgreeAboutGzip) {
  const TempDirectory directory;
  const std::string plain = directory.write("a.txt", gzip_bytes("text"));
  EXPECT_EQ(error_text<UserError>([&] { read_all(plain); }),
            plain + ": holds gzip data (magic 1f 8b); rename it to end in .gz");
  const std::string named = directory.write("a.gz", "text");
  EXPECT_EQ(error_text<UserError>([&] { read_all(named); }),
            named + ": is not gzip data though its name ends in .gz");
}

TEST(InputStream, EveryTruncatedGzipIsAnError) {
  const TempDirectory directory;
  const std::string whole = gzip_bytes("some text that is long enough to be cut anywhere\n");
  for (std::size_t size = 2; size < whole.size(); ++size) {
    const std::string path = directory.write("a.gz", whole.substr(0, size));
    EXPECT_THROW(read_all(path), DataError) << size;
  }
}

TEST(InputStream, DamagedGzipIsAnError) {
  const TempDirectory directory;
  std::string data = gzip_bytes(many_lines());
  data[data.size() / 2] = static_cast<char>(data[data.size() / 2] ^ 0x55);
  const std::string path = directory.write("a.gz", data);
  EXPECT_TRUE(
      error_text<DataError>([&] { read_all(path); }).starts_with(path + ": damaged gzip data"));
}

TEST(InputStream, WhatIsNoRegularFileIsRefusedWithoutBlocking) {
  const TempDirectory directory;
  const std::string fifo = directory.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(error_text<UserError>([&] { read_all(fifo); }), fifo + ": is not a regular file");
  EXPECT_EQ(error_text<UserError>([&] { read_all(directory.path()); }),
            directory.path() + ": is a directory (want a file)");
  EXPECT_EQ(error_text<UserError>([&] { read_all(directory.file("none")); }),
            directory.file("none") + ": cannot open: No such file or directory");
}

TEST(InputStream, FileThatGrowsOrShrinksWhileItIsReadIsAnError) {
  const TempDirectory directory;
  const std::string path = directory.write("a", std::string(1 << 20, 'x'));
  InputStream stream(path);
  std::vector<char> buffer(1 << 20);
  stream.read(buffer.data(), buffer.size());
  std::filesystem::resize_file(path, 1 << 19);
  const std::string text = error_text<DataError>([&] {
    while (stream.read(buffer.data(), buffer.size()) > 0) {
    }
  });
  EXPECT_EQ(text, path + ": changed while it was read (got 524288 bytes, want 1048576)");
}

TEST(LineReader, LastLineNeedsNoNewline) {
  const TempDirectory directory;
  EXPECT_EQ(read_lines(directory.write("a", "one\n\ntwo")),
            (std::vector<std::string>{"one", "", "two"}));
  EXPECT_EQ(read_lines(directory.write("b", "one\n")), std::vector<std::string>{"one"});
  EXPECT_EQ(read_lines(directory.write("c", "\n")), std::vector<std::string>{""});
  EXPECT_TRUE(read_lines(directory.write("d", "")).empty());
}

TEST(LineReader, CarriageReturnBeforeTheNewlineIsDropped) {
  const TempDirectory directory;
  EXPECT_EQ(read_lines(directory.write("a", "one\r\nt\rwo\r\n\r\n")),
            (std::vector<std::string>{"one", "t\rwo", ""}));
}

TEST(LineReader, LinesAcrossBufferEdgesAreWhole) {
  const TempDirectory directory;
  const std::string text = many_lines();
  LineReader reader(directory.write("a", text));
  std::string_view line;
  std::int64_t number = 0;
  while (reader.next(line)) {
    ASSERT_EQ(line, "line " + std::to_string(number));
    ASSERT_EQ(reader.line_number(), ++number);
    ASSERT_EQ(text.substr(reader.line_offset(), line.size()), line);
  }
  EXPECT_EQ(number, 100000);
}

TEST(LineReader, TooLongLineIsAnErrorWithItsNumber) {
  const TempDirectory directory;
  const std::string path = directory.write("a", "one\n" + std::string(std::size_t{2} << 20, 'x'));
  const std::string text = error_text<DataError>([&] { read_lines(path); });
  EXPECT_EQ(text, path + ":2: line is too long (want at most 1048576 bytes)");
}

}  // namespace
}  // namespace linformer
