// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_log.h"

#include <gtest/gtest.h>

#include <vector>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"
#include "support/wandb_records.h"

namespace linformer {
namespace {

constexpr std::size_t kBlock = 32768;

/// Types and lengths of the chunks that begin at `offset`.
std::vector<std::pair<int, std::size_t>> chunks_of(const std::string& bytes, std::uint64_t offset) {
  std::vector<std::pair<int, std::size_t>> out;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t room = kBlock - (offset + at) % kBlock;
    if (room < 7) {
      EXPECT_EQ(bytes.substr(at, room), std::string(room, '\0'));
      at += room;
      continue;
    }
    const std::size_t size = static_cast<unsigned char>(bytes[at + 4]) +
                             256U * static_cast<unsigned char>(bytes[at + 5]);
    EXPECT_LE(size + 7, room);
    out.emplace_back(bytes[at + 6], size);
    at += 7 + size;
  }
  return out;
}

using Chunks = std::vector<std::pair<int, std::size_t>>;

TEST(WandbLog, AChunkHasZlibsChecksumOfTypeAndData) {
  // zlib.crc32(b"\x01abc") of Python.
  EXPECT_EQ(wandb_chunks("abc", 7), std::string("\xa9\x20\x9d\x53\x03\x00\x01"
                                                "abc",
                                                10));
  EXPECT_EQ(wandb_chunks("", 7), std::string("\x1b\xdf\x05\xa5\x00\x00\x01", 7));
}

TEST(WandbLog, RecordsAreCutAtTheEndsOfBlocks) {
  const std::string record(100, 'x');
  EXPECT_EQ(chunks_of(wandb_chunks(record, kBlock - 107), kBlock - 107), (Chunks{{1, 100}}));
  EXPECT_EQ(chunks_of(wandb_chunks(record, kBlock - 106), kBlock - 106), (Chunks{{2, 99}, {4, 1}}));
  EXPECT_EQ(chunks_of(wandb_chunks(record, kBlock - 8), kBlock - 8), (Chunks{{2, 1}, {4, 99}}));
  EXPECT_EQ(chunks_of(wandb_chunks(record, kBlock - 7), kBlock - 7), (Chunks{{2, 0}, {4, 100}}));
  for (std::size_t left = 1; left < 7; ++left) {
    const std::string bytes = wandb_chunks(record, kBlock - left);
    EXPECT_EQ(bytes.size(), left + 107);
    EXPECT_EQ(chunks_of(bytes, kBlock - left), (Chunks{{1, 100}}));
  }
  const std::string large(100000, 'x');
  EXPECT_EQ(chunks_of(wandb_chunks(large, 7), 7),
            (Chunks{{2, 32754}, {3, 32761}, {3, 32761}, {4, 1724}}));
}

/// A file with a record before each kind of block boundary, and what it holds.
std::pair<std::string, std::vector<std::string>> example(std::size_t left) {
  const TempDirectory directory;
  const std::string path = directory.file("run-x.wandb");
  std::vector<std::string> records{"first", std::string(kBlock - 7 - 12 - 7 - left, 'a'),
                                   "third", std::string(100000, 'b'),
                                   "",      "last"};
  WandbLog log(path);
  for (const std::string& record : records) log.append(record);
  log.sync();
  return {slurp(path), records};
}

TEST(WandbLog, ReadsBackOverEveryKindOfBlockBoundary) {
  for (std::size_t left = 0; left < 24; ++left) {
    const auto [file, records] = example(left);
    EXPECT_EQ(wandb_records(file), records) << left;
  }
}

TEST(WandbLog, ACutOffLogHoldsEveryRecordBeforeTheCut) {
  const TempDirectory directory;
  const std::string path = directory.file("run-x.wandb");
  std::vector<std::string> records;
  std::vector<std::size_t> ends;
  WandbLog log(path);
  for (std::size_t i = 0; i < 40; ++i) {
    records.push_back(std::string(i, static_cast<char>('a' + i % 26)));
    log.append(records.back());
    ends.push_back(slurp(path).size());
  }
  const std::string file = slurp(path);
  for (std::size_t size = 0; size <= file.size(); ++size) {
    std::size_t whole = 0;
    while (whole < ends.size() && ends[whole] <= size) ++whole;
    ASSERT_EQ(wandb_records(file.substr(0, size)),
              std::vector<std::string>(records.begin(),
                                       records.begin() + static_cast<std::ptrdiff_t>(whole)))
        << size;
  }
}

TEST(WandbLog, DamageCostsTheRestOfItsBlockAlone) {
  auto [file, records] = example(0);
  file[20] ^= 1;
  EXPECT_EQ(wandb_records(file),
            (std::vector<std::string>{records[0], records[2], records[3], "", "last"}));
}

TEST(WandbLog, NeverWritesOverAnother) {
  const TempDirectory directory;
  const std::string path = directory.write("run-x.wandb", "mine");
  EXPECT_EQ(error_text<IoError>([&] { WandbLog{path}; }), path + ": cannot open: File exists");
}

}  // namespace
}  // namespace linformer
