// SPDX-License-Identifier: Apache-2.0
#include "data/csv_writer.h"

#include <gtest/gtest.h>

#include "data/batch_sampler.h"
#include "data/csv_reader.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::string row(std::initializer_list<std::string_view> fields) {
  std::string out;
  append_csv_row(out, fields);
  return out;
}

TEST(CsvWriter, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(row({"input", "a b", ""}), "input,a b,\n");
  EXPECT_EQ(row({"a,b", "say \"hi\"", "two\nlines"}),
            "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\n");
}

TEST(CsvWriter, ARecordOfOneEmptyFieldIsNoEmptyLine) { EXPECT_EQ(row({""}), "\"\"\n"); }

TEST(CsvWriter, WhatTheReaderRefusesIsWrittenAsItAcceptsIt) {
  EXPECT_EQ(row({"a\rb", "c\r\nd", std::string_view("e\0f", 3), "g\xFFh"}),
            "\"a\nb\",\"c\nd\",e\xEF\xBF\xBD"
            "f,g\xEF\xBF\xBDh\n");
}

TEST(CsvWriter, AByteOrderMarkThatIsTextStaysText) {
  EXPECT_EQ(row({"\xEF\xBB\xBFx", "y"}), "\"\xEF\xBB\xBFx\",y\n");
}

TEST(CsvWriter, EverythingWrittenReadsBack) {
  const std::string letters = "ab,\"\n ;ü";
  SplitMix64 random(3);
  std::string text;
  std::vector<std::vector<std::string>> rows;
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::string> fields(3);
    for (std::string& field : fields) {
      for (std::uint64_t n = random.below(6); n > 0; --n) {
        const std::uint64_t at = random.below(8);
        field += at == 7 ? letters.substr(7) : letters.substr(at, 1);
      }
    }
    append_csv_row(text, {fields[0], fields[1], fields[2]});
    rows.push_back(fields);
  }
  const TempDirectory directory;
  CsvReader reader(directory.write("a.csv", text));
  std::vector<std::string> fields;
  for (const auto& want : rows) {
    ASSERT_TRUE(reader.next(fields));
    ASSERT_EQ(fields, want);
  }
  EXPECT_FALSE(reader.next(fields));
}

}  // namespace
}  // namespace linformer
