// SPDX-License-Identifier: Apache-2.0
#include "data/csv_reader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "data/batch_sampler.h"
#include "data/csv_writer.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

using namespace std::string_literals;
using Rows = std::vector<std::vector<std::string>>;

Rows read_file_rows(const std::string& path, InvalidUtf8 policy = InvalidUtf8::kError) {
  CsvReader reader(path, policy);
  Rows rows;
  std::vector<std::string> fields;
  while (reader.next(fields)) rows.push_back(fields);
  return rows;
}

Rows read_rows(const std::string& text) {
  const TempDirectory directory;
  return read_file_rows(directory.write("a.csv", text));
}

/// Text of the error for a file with a header, with the directory taken out of it.
std::string refusal(const std::string& text) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", text);
  const std::string message = error_text<DataError>([&] {
    CsvReader reader(path);
    reader.read_header();
    std::vector<std::string> fields;
    while (reader.next(fields)) {
    }
  });
  EXPECT_TRUE(message.starts_with(path)) << message;
  return message.substr(std::min(message.size(), path.size() - 5));
}

TEST(CsvReader, ReadsQuotesCommasAndNewlinesInFields) {
  EXPECT_EQ(read_rows("de,en\n\"a,b\",\"say \"\"hi\"\"\"\n\"two\nlines\",x\n,\n"),
            (Rows{{"de", "en"}, {"a,b", "say \"hi\""}, {"two\nlines", "x"}, {"", ""}}));
}

TEST(CsvReader, AcceptsMixedLineEndsAndLeavesNoCarriageReturn) {
  EXPECT_EQ(read_rows("de,en\r\na,b\n\"c\r\nd\",\"e\"\r\nf,g"),
            (Rows{{"de", "en"}, {"a", "b"}, {"c\nd", "e"}, {"f", "g"}}));
}

TEST(CsvReader, AcceptsAByteOrderMarkOnce) {
  EXPECT_EQ(read_rows("\xEF\xBB\xBF"
                      "de,en\na,b\n"),
            (Rows{{"de", "en"}, {"a", "b"}}));
  EXPECT_EQ(read_rows("\xEF\xBB\xBF\"de\",en\n"), (Rows{{"de", "en"}}));
}

TEST(CsvReader, AcceptsAMissingFinalNewline) {
  EXPECT_EQ(read_rows("a,b\nc,\"d\""), (Rows{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(read_rows("a,b\nc,"), (Rows{{"a", "b"}, {"c", ""}}));
}

TEST(CsvReader, EmptyLinesAreNoRecordsExceptInOneColumn) {
  EXPECT_EQ(read_rows("\na,b\n\n\r\nc,d\n\n"), (Rows{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(read_rows("a\n\nb\n"), (Rows{{"a"}, {""}, {"b"}}));
}

TEST(CsvReader, MissingValueSpellingsAreText) {
  EXPECT_EQ(read_rows("NA,null\nNone,nan\n"), (Rows{{"NA", "null"}, {"None", "nan"}}));
}

TEST(CsvReader, UnicodeOddititesAreText) {
  const std::string odd =
      "\xE2\x80\xA8 \xC2\x85 \xEF\xBB\xBF \xE2\x80\x8D \xF0\x9F\x98\x80 e\xCC\x81";
  EXPECT_EQ(read_rows("a," + odd + "\n"), (Rows{{"a", odd}}));
}

TEST(CsvReader, GzipAndPlainGiveTheSameRows) {
  std::string text = "de,en\n";
  for (int i = 0; i < 40000; ++i) text += "\"Zeile, " + std::to_string(i) + "\",line\n";
  const TempDirectory directory;
  const Rows plain = read_file_rows(directory.write("a.csv", text));
  EXPECT_EQ(plain.size(), 40001U);
  EXPECT_EQ(plain[40000][0], "Zeile, 39999");
  EXPECT_EQ(read_file_rows(directory.write("a.csv.gz", gzip_bytes(text))), plain);
}

TEST(CsvReader, GivesRecordNumberAndPhysicalLine) {
  const TempDirectory directory;
  CsvReader reader(directory.write("a.csv", "de,en\n\"a\n\nb\",c\n\nd,e\n"));
  std::vector<std::string> fields;
  EXPECT_EQ(reader.read_header(), (std::vector<std::string>{"de", "en"}));
  ASSERT_TRUE(reader.next(fields));
  EXPECT_EQ(reader.record_number(), 2);
  EXPECT_EQ(reader.line(), 2);
  ASSERT_TRUE(reader.next(fields));
  EXPECT_EQ(reader.record_number(), 3);
  EXPECT_EQ(reader.line(), 6);
  EXPECT_FALSE(reader.next(fields));
}

TEST(CsvReader, AWrongNumberOfFieldsNamesRecordAndLine) {
  EXPECT_EQ(refusal("de,en\n\"a\nb\",c\nd\n"),
            "a.csv:4: record 3 has 1 column (want 2: de,en); quote fields that contain commas");
  EXPECT_EQ(refusal("de,en\na,b,c\n"),
            "a.csv:2: record 2 has 3 columns (want 2: de,en); quote fields that contain commas");
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", "a,b\nc\n");
  EXPECT_EQ(
      error_text<DataError>([&] { read_file_rows(path); }),
      path +
          ":2: record 2 has 1 column (want 2 columns, as in the first record); quote fields that "
          "contain commas");
}

TEST(CsvReader, AnEmptyFileHasNoRows) {
  EXPECT_EQ(refusal(""), "a.csv: no rows (the file is empty)");
  EXPECT_EQ(refusal("\xEF\xBB\xBF\n\n"), "a.csv: no rows (the file is empty)");
}

TEST(CsvReader, ADoubledColumnListsWhatWasFound) {
  EXPECT_EQ(refusal("de,en,de\na,b,c\n"), "a.csv: column de occurs twice (found: de, en, de)");
}

TEST(CsvReader, AMissingColumnListsWhatWasFound) {
  const std::vector<std::string> names{"de", "en"};
  EXPECT_EQ(find_column(names, "en", "a.csv"), 1U);
  EXPECT_EQ(error_text<DataError>([&] { find_column(names, "fr", "a.csv"); }),
            "a.csv: no column fr (found: de, en)");
}

TEST(CsvReader, AnUnclosedQuoteIsReportedWhereItOpened) {
  EXPECT_EQ(refusal("de,en\nÜb,\"open\nand\nso on\n"), "a.csv:2:4: quote is never closed");
  std::string text = "de,en\na,b\n\"x\ny\",\"open ";
  for (int i = 0; i < 30000; ++i) text += "words without an end, on and on and on\n";
  EXPECT_EQ(refusal(text), "a.csv:4:4: quoted field is over 1 MB; is its closing quote missing?");
}

TEST(CsvReader, AnUnclosedQuoteIsFoundLongBeforeTheEndOfALargeFile) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", "de,en\n\"open");
  std::ofstream(path, std::ios::app) << std::string(std::size_t{64} << 20, 'x');
  const auto start = std::chrono::steady_clock::now();
  error_text<DataError>([&] { read_file_rows(path); });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(CsvReader, TextAfterAClosingQuoteHasLineAndColumn) {
  EXPECT_EQ(
      refusal("de,en\na,b\nü,\"a\"b\n"),
      "a.csv:3:6: text after a closing quote (want a comma or a line end; write \"\" for a quote)");
  EXPECT_EQ(refusal("de,en\n\"a\nb\" ,c\n").substr(0, 10), "a.csv:3:3:");
}

TEST(CsvReader, AFieldOfOneMegabyteIsReadAndALongerOneRefused) {
  const std::string megabyte(kMaxCellSize, 'x');
  EXPECT_EQ(read_rows("a," + megabyte + "\r\nb,\"" + megabyte + "\"\n")[1][1], megabyte);
  EXPECT_EQ(refusal("de,en\na,b\nc," + megabyte + "x\n"),
            "a.csv:3: field is too long (want at most 1 MB)");
  EXPECT_EQ(refusal("de,en\na,\"" + megabyte + "x\"\n"),
            "a.csv:2:3: quoted field is over 1 MB; is its closing quote missing?");
}

TEST(CsvReader, ARecordOfTooManyFieldsIsRefused) {
  EXPECT_EQ(refusal("de,en\n" + std::string(5000, ',') + "\n"),
            "a.csv:2: record is too long (want at most 16 MB and 4096 columns)");
}

TEST(CsvReader, NulLoneCarriageReturnAndBadUtf8HaveOffsetAndLine) {
  EXPECT_EQ(refusal("de,en\na,\0b\n"s), "a.csv@8: NUL byte (want text) (line 2)");
  EXPECT_EQ(refusal("de,en\na,\"x\n\xFF\"\n"),
            "a.csv@11: byte 0xff is not UTF-8; convert the file, or replace such bytes with "
            "--invalid-utf8 replace (line 3)");
  EXPECT_EQ(refusal("de,en\na,\"b\rc\"\n"),
            "a.csv@10: carriage return without a line feed (want LF or CRLF) (line 2)");
  EXPECT_EQ(refusal("de,en\na,\"b\"\rc\n").substr(0, 9), "a.csv@11:");
}

TEST(CsvReader, AFileWithCarriageReturnsForLineEndsIsNamedAsSuch) {
  std::string text = "de,en\r";
  for (int i = 0; i < 300000; ++i) text += "abc,def\r";
  EXPECT_EQ(refusal(text),
            "a.csv@5: carriage return without a line feed (want LF or CRLF) (line 1)");
}

TEST(CsvReader, OffsetsCountTheByteOrderMark) {
  EXPECT_EQ(refusal("\xEF\xBB\xBF"
                    "de,en\n\0,b\n"s)
                .substr(0, 8),
            "a.csv@9:");
}

TEST(CsvReader, OffsetsHoldAfterManyBuffers) {
  std::string text = "de,en\n";
  while (text.size() < 3000000) text += "Zeile,line\n";
  const std::size_t offset = text.size();
  text += "\xC3,x\n";
  EXPECT_TRUE(refusal(text).starts_with("a.csv@" + std::to_string(offset) + ": byte 0xc3"));
}

TEST(CsvReader, BufferBoundariesMayFallAnywhere) {
  for (std::size_t pad = (std::size_t{1} << 18) - 24; pad < (std::size_t{1} << 18) + 2; ++pad) {
    const std::string long_field(pad, 'x');
    EXPECT_EQ(read_rows(long_field + ",\"a\"\"b\r\nü\"\r\n\"d\",\"e\"\r\n\r\nf,g"),
              (Rows{{long_field, "a\"b\nü"}, {"d", "e"}, {"f", "g"}}))
        << pad;
  }
}

TEST(CsvReader, RandomBytesAreRefusedOrReadBackAfterWriting) {
  const std::string alphabet = "ab,,\"\"\n\n\r\0\xC3\xBC"s;
  const TempDirectory directory;
  SplitMix64 random(17);
  int read = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (std::uint64_t n = random.below(14); n > 0; --n)
      text += alphabet[random.below(alphabet.size())];
    const std::string path = directory.write("read" + std::to_string(i) + ".csv", text);
    try {
      const Rows rows = read_file_rows(path);
      std::string written;
      for (const auto& row : rows) {
        for (std::size_t column = 0; column < row.size(); ++column) {
          if (column > 0) written += ',';
          append_csv_field(written, row[column]);
        }
        written += row.size() == 1 && row[0].empty() ? "\"\"\n" : "\n";
      }
      ASSERT_EQ(read_file_rows(directory.write("written" + std::to_string(i) + ".csv", written)),
                rows)
          << testing::PrintToString(text);
      ++read;
    } catch (const DataError& error) {
      ASSERT_TRUE(std::string(error.what()).starts_with(path)) << error.what();
    }
  }
  EXPECT_GT(read, 300);
  EXPECT_LT(read, 2700);
}

TEST(CsvReader, ReplaceCountsWhatItReplaces) {
  const TempDirectory directory;
  CsvReader reader(directory.write("a.csv", "de,en\na\xFF,\"b\xC3\"\nc,d\n"),
                   InvalidUtf8::kReplace);
  reader.read_header();
  std::vector<std::string> fields;
  ASSERT_TRUE(reader.next(fields));
  EXPECT_EQ(fields, (std::vector<std::string>{"a\xEF\xBF\xBD", "b\xEF\xBF\xBD"}));
  EXPECT_EQ(reader.replaced(), 2);
  ASSERT_TRUE(reader.next(fields));
  EXPECT_EQ(reader.replaced(), 2);
}

TEST(CsvReader, GzipBytesUnderAPlainNameAreSeen) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", gzip_bytes("de,en\n"));
  EXPECT_EQ(error_text<DataError>([&] { CsvReader reader(path); }),
            path + ": holds gzip data (magic 1f 8b); rename it to end in .gz");
}

TEST(CsvReader, AFileThatGrowsWhileItIsReadIsRefused) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", "de,en\n");
  std::ofstream out(path, std::ios::app);
  for (int i = 0; i < 100000; ++i) out << "Zeile,line\n";
  out.flush();
  CsvReader reader(path);
  out << "more,text\n";
  out.flush();
  std::vector<std::string> fields;
  const std::string message = error_text<DataError>([&] {
    while (reader.next(fields)) {
    }
  });
  EXPECT_TRUE(message.starts_with(path + ": changed while it was read")) << message;
}

TEST(CsvReader, ReadsWhatPandasReads) {
  const std::string golden = std::string(LF_SOURCE_DIR) + "/tests/golden/";
  const auto answers = nlohmann::json::parse(slurp(golden + "csv_rows.json"));
  for (const auto& [name, want] : answers.at("rows").items()) {
    Rows rows = read_file_rows(golden + "csv_" + name + ".csv");
    ASSERT_EQ(rows.at(0), (std::vector<std::string>{"de", "en"})) << name;
    rows.erase(rows.begin());
    EXPECT_EQ(rows, want.get<Rows>()) << name << ": regenerate by scripts/golden/csv_rows.py";
  }
}

TEST(CsvReader, RowsThatTheOriginalTakesForMissingValuesAreText) {
  const std::string golden = std::string(LF_SOURCE_DIR) + "/tests/golden/";
  const auto answers = nlohmann::json::parse(slurp(golden + "csv_rows.json"));
  const Rows rows = read_file_rows(golden + "csv_lf.csv");
  const auto& missing = answers.at("missing_in_original");
  ASSERT_FALSE(missing.empty());
  for (const std::size_t row : missing) {
    EXPECT_FALSE(rows.at(row + 1)[0].empty() || rows.at(row + 1)[1].empty()) << row;
  }
}

}  // namespace
}  // namespace linformer
