// SPDX-License-Identifier: Apache-2.0
#include "data/corpus_encoder.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

struct Encoded {
  std::vector<std::vector<std::int32_t>> source;
  std::vector<std::vector<std::int32_t>> target;
  std::vector<std::int64_t> lines;
  EncodeCounts counts;
  bool operator==(const Encoded& other) const {
    return source == other.source && target == other.target && lines == other.lines;
  }
};

Encoded encode(const std::string& path, const EncodeOptions& options = {}) {
  Encoded out;
  out.counts =
      encode_corpus({.file = path}, byte_tokenizer(), options, [&](const EncodedPair& pair) {
        out.source.emplace_back(pair.source.begin(), pair.source.end());
        out.target.emplace_back(pair.target.begin(), pair.target.end());
        out.lines.push_back(pair.line);
      });
  return out;
}

std::string many_rows(int count) {
  std::string text = "de,en\n";
  for (int i = 0; i < count; ++i)
    text += "Zeile " + std::to_string(i) + ",line " + std::to_string(i * 7) + "\n";
  return text;
}

TEST(CorpusEncoder, GivesTheTokenizersIdsWithPlaces) {
  const TempDirectory directory;
  const Tokenizer tokenizer = byte_tokenizer();
  const Encoded out = encode(directory.write("a.csv", "de,en\nä,two words\n\"x\ny\",z\n"));
  std::vector<std::int32_t> want;
  tokenizer.encode("two words", want);
  ASSERT_EQ(out.source.size(), 2U);
  EXPECT_EQ(out.source[0], want);
  EXPECT_EQ(out.target[0].size(), 2U);
  EXPECT_EQ(out.lines, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(out.counts.rows, 2);
  EXPECT_EQ(out.counts.text_bytes, 2 + 9 + 3 + 1);
}

TEST(CorpusEncoder, AnyNumberOfThreadsGivesCorpusOrder) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", many_rows(20000));
  const Encoded one = encode(path, {.threads = 1});
  ASSERT_EQ(one.source.size(), 20000U);
  EXPECT_EQ(one.lines[19999], 20001);
  for (const std::int64_t threads : {0, 2, 3, 8})
    EXPECT_TRUE(encode(path, {.threads = threads}) == one) << threads;
}

TEST(CorpusEncoder, TakesTheLeadingRowsOnly) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", many_rows(5000));
  const Encoded out = encode(path, {.rows = 1500, .threads = 4});
  EXPECT_EQ(out.source.size(), 1500U);
  EXPECT_EQ(out.counts.rows, 1500);
}

TEST(CorpusEncoder, FewerRowsThanWantedMeanThatTheFileChanged) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", many_rows(10));
  EXPECT_EQ(error_text<DataError>([&] { encode(path, {.rows = 11}); }),
            path + ": changed while it was read (got 10 rows, want 11)");
}

TEST(CorpusEncoder, EmptyAndBlankCellsAreSkippedAndCounted) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", "de,en\na,b\n,c\nd, \xC2\xA0\ne,NA\n");
  const Encoded out = encode(path);
  EXPECT_EQ(out.lines, (std::vector<std::int64_t>{2, 5}));
  EXPECT_EQ(out.counts.rows, 4);
  EXPECT_EQ(out.counts.skipped_empty, 2);
  EXPECT_EQ(out.counts.first_empty->text(), path + ":3");
}

TEST(CorpusEncoder, EmptyCellsAreAnErrorOnRequestWithCountAndFirstLine) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", "de,en\na,b\n,c\nd, \ne,f\n");
  EXPECT_EQ(error_text<DataError>([&] { encode(path, {.empty = EmptyPolicy::kError}); }),
            path +
                ":3: target is empty or blank (2 such pairs in all); --empty skip leaves them out, "
                "--empty keep keeps them");
}

TEST(CorpusEncoder, EmptyCellsAreKeptOnRequest) {
  const TempDirectory directory;
  const Encoded out =
      encode(directory.write("a.csv", "de,en\na,b\n,c\n"), {.empty = EmptyPolicy::kKeep});
  ASSERT_EQ(out.target.size(), 2U);
  EXPECT_TRUE(out.target[1].empty());
  EXPECT_EQ(out.source[1].size(), 1U);
  EXPECT_EQ(out.counts.skipped_empty, 0);
}

TEST(CorpusEncoder, TheFirstErrorInCorpusOrderIsReported) {
  const TempDirectory directory;
  std::string text = many_rows(9000);
  text += "bad\n" + many_rows(9000) + "worse,\xFF\n";
  const std::string path = directory.write("a.csv", text);
  for (int run = 0; run < 20; ++run) {
    const std::string message = error_text<DataError>([&] { encode(path, {.threads = 4}); });
    ASSERT_EQ(message.substr(0, path.size() + 6), path + ":9002:");
  }
}

TEST(CorpusEncoder, AnErrorOfTheReceiverEndsIt) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", many_rows(20000));
  std::int64_t received = 0;
  EXPECT_THROW(encode_corpus({.file = path}, byte_tokenizer(), {.threads = 4},
                             [&](const EncodedPair&) {
                               if (++received == 5000) throw IoError("disk is full");
                             }),
               IoError);
  EXPECT_EQ(received, 5000);
}

}  // namespace
}  // namespace linformer
