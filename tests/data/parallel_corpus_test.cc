// SPDX-License-Identifier: Apache-2.0
#include "data/parallel_corpus.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/gzip.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs read_pairs(const CorpusSpec& spec) {
  ParallelCorpus corpus(spec);
  Pairs out;
  SentencePair pair;
  while (corpus.next(pair)) out.emplace_back(pair.source, pair.target);
  return out;
}

template <typename E = DataError>
std::string refusal(const CorpusSpec& spec) {
  return error_text<E>([&] { read_pairs(spec); });
}

const Pairs kTwoPairs{{"one", "eins"}, {"two", "zwei"}};

TEST(ParallelCorpus, ReadsTheSamePairsFromEveryKindOfFile) {
  const TempDirectory directory;
  const std::string csv = "de,en\neins,one\n\"zwei\",two\n";
  const std::string tsv = "id\ten\tde\n1\tone\teins\n2\ttwo\tzwei\n";
  EXPECT_EQ(read_pairs({.file = directory.write("a.csv", csv)}), kTwoPairs);
  EXPECT_EQ(read_pairs({.file = directory.write("a.csv.gz", gzip_bytes(csv))}), kTwoPairs);
  EXPECT_EQ(read_pairs({.file = directory.write("a.tsv", tsv)}), kTwoPairs);
  EXPECT_EQ(read_pairs({.file = directory.write("a.tsv.gz", gzip_bytes(tsv))}), kTwoPairs);
  EXPECT_EQ(read_pairs({.source_file = directory.write("a.en", "one\ntwo\n"),
                        .target_file = directory.write("a.de.gz", gzip_bytes("eins\r\nzwei"))}),
            kTwoPairs);
}

TEST(ParallelCorpus, ColumnsByNumberMeanThatThereIsNoHeader) {
  const TempDirectory directory;
  EXPECT_EQ(read_pairs({.file = directory.write("a.csv", "eins,one\nzwei,two\n"),
                        .source_column = "2",
                        .target_column = "1"}),
            kTwoPairs);
  EXPECT_EQ(read_pairs({.file = directory.write("a.tsv", "one\teins\ntwo\tzwei\n"),
                        .source_column = "1",
                        .target_column = "2"}),
            kTwoPairs);
}

TEST(ParallelCorpus, OtherColumnNamesAreFound) {
  const TempDirectory directory;
  EXPECT_EQ(read_pairs({.file = directory.write("a.csv", "from,to\none,eins\ntwo,zwei\n"),
                        .source_column = "from",
                        .target_column = "to"}),
            kTwoPairs);
}

TEST(ParallelCorpus, NamesTheDocumentOfAPairWhereThereIsAColumn) {
  const TempDirectory directory;
  CorpusSpec spec;
  spec.file = directory.write("a.tsv", "doc\ten\tde\nx\ta\tb\ny\tc\td\n");
  spec.document_column = "doc";
  ParallelCorpus corpus(spec);
  SentencePair pair;
  ASSERT_TRUE(corpus.next(pair));
  EXPECT_EQ(pair.document, "x");
  ASSERT_TRUE(corpus.next(pair));
  EXPECT_EQ(pair.document + pair.source + pair.target, "ycd");
  spec.document_column = "1";
  EXPECT_EQ(error_text<UsageError>([&] { ParallelCorpus{spec}; }),
            "columns en and de and 1 (want names, for a file with a header, or numbers, for one "
            "without)");
  spec.document_column = "en";
  EXPECT_EQ(error_text<UsageError>([&] { ParallelCorpus{spec}; }),
            "column en is both text and document");
  spec = {};
  spec.source_file = spec.target_file = directory.write("a.txt", "a\n");
  spec.document_column = "doc";
  EXPECT_EQ(error_text<UsageError>([&] { ParallelCorpus{spec}; }),
            spec.source_file + ": files of lines have no column doc");
}

TEST(ParallelCorpus, QuotesInTsvAreText) {
  const TempDirectory directory;
  EXPECT_EQ(read_pairs({.file = directory.write("a.tsv", "en\tde\n\"one\t\"\"\n\n\tb\n")}),
            (Pairs{{"\"one", "\"\""}, {"", "b"}}));
}

TEST(ParallelCorpus, AMissingColumnListsTheColumns) {
  const TempDirectory directory;
  const std::string csv = directory.write("a.csv", "de,fr\na,b\n");
  EXPECT_EQ(refusal({.file = csv}), csv + ": no column en (found: de, fr)");
  const std::string tsv = directory.write("a.tsv", "en\tfr\na\tb\n");
  EXPECT_EQ(refusal({.file = tsv}), tsv + ": no column de (found: en, fr)");
  const std::string twice = directory.write("b.tsv", "en\tde\ten\na\tb\tc\n");
  EXPECT_EQ(refusal({.file = twice}), twice + ": column en occurs twice (found: en, de, en)");
  EXPECT_EQ(refusal({.file = csv, .source_column = "1", .target_column = "3"}),
            csv + ": no column 3 (found: 2 columns)");
}

TEST(ParallelCorpus, UnusableColumnsAreUsageErrors) {
  EXPECT_EQ(refusal<UsageError>({.file = "a.csv", .source_column = "en", .target_column = "2"}),
            "columns en and 2 (want names, for a file with a header, or numbers, for one without)");
  EXPECT_EQ(refusal<UsageError>({.file = "a.csv", .source_column = "de"}),
            "column de is both source and target");
  EXPECT_EQ(refusal<UsageError>({.file = "a.csv", .source_column = "01", .target_column = "1"}),
            "column 01 is both source and target");
  EXPECT_EQ(refusal<UsageError>({.file = "a.tsv", .source_column = "0", .target_column = "1"}),
            "column 0 (want a name, or a number from 1)");
}

TEST(ParallelCorpus, ASpecThatNamesNoCorpusIsAUsageError) {
  EXPECT_EQ(refusal<UsageError>({}),
            "no corpus (want one .csv or .tsv file, or a source and a target file of lines)");
  EXPECT_EQ(refusal<UsageError>({.source_file = "a.en"}),
            "a.en: a pair of line files needs both a source and a target file");
  EXPECT_EQ(refusal<UsageError>({.file = "a.csv", .source_file = "a.en"}),
            "a.csv: one corpus file and a pair of line files exclude each other");
  EXPECT_EQ(
      refusal<UsageError>({.file = "a.npz"}),
      "a.npz: not a text corpus by its name (want .csv or .tsv, each also .gz, or a source and a "
      "target file of lines)");
  EXPECT_EQ(
      refusal<UsageError>({.file = "a.lfs"}),
      "a.lfs: not a text corpus by its name (want .csv or .tsv, each also .gz, or a source and a "
      "target file of lines)");
}

TEST(ParallelCorpus, AMissingFileIsAUserError) {
  EXPECT_EQ(refusal<UserError>({.file = "/nowhere/a.csv"}),
            "/nowhere/a.csv: cannot open: No such file or directory");
}

TEST(ParallelCorpus, ACorpusWithoutRowsIsRefused) {
  const TempDirectory directory;
  const std::string empty = directory.write("a.csv", "");
  EXPECT_EQ(refusal({.file = empty}), empty + ": no rows (the file is empty)");
  const std::string header = directory.write("b.csv", "de,en\n");
  EXPECT_EQ(refusal({.file = header}), header + ": no rows");
  const std::string tsv = directory.write("a.tsv", "\n");
  EXPECT_EQ(refusal({.file = tsv}), tsv + ": no rows (the file is empty)");
  const std::string lines = directory.write("a.en", "");
  EXPECT_EQ(refusal({.source_file = lines, .target_file = directory.write("a.de", "")}),
            lines + ": no rows");
}

TEST(ParallelCorpus, LineFilesOfDifferentLengthNameBothCounts) {
  const TempDirectory directory;
  const std::string three = directory.write("a.en", "a\nb\nc\n");
  const std::string five = directory.write("a.de", "1\n2\n3\n4\n5\n");
  const std::string want = " has 3 lines, " + five + " has 5";
  EXPECT_EQ(refusal({.source_file = three, .target_file = five}),
            "line counts differ: " + three + want);
  EXPECT_EQ(refusal({.source_file = five, .target_file = three}),
            "line counts differ: " + five + " has 5 lines, " + three + " has 3");
}

TEST(ParallelCorpus, ATsvRowOfOtherWidthNamesRecordAndLine) {
  const TempDirectory directory;
  const std::string path = directory.write("a.tsv", "en\tde\na\tb\n\nc\td\te\n");
  EXPECT_EQ(refusal({.file = path}),
            path + ":4: record 3 has 3 columns (want 2, separated by tabs)");
}

TEST(ParallelCorpus, ATsvCellOverOneMegabyteIsRefused) {
  const TempDirectory directory;
  const std::string path =
      directory.write("a.tsv", "en\tde\na\t" + std::string(kMaxCellSize + 1, 'x') + "\n");
  EXPECT_EQ(refusal({.file = path}), path + ":2: field is too long (want at most 1 MB)");
}

TEST(ParallelCorpus, PlacesAndCountsFollowThePairs) {
  const TempDirectory directory;
  const std::string path = directory.write("a.csv", "de,en\n\"a\nb\",c\nd,e\n");
  ParallelCorpus corpus({.file = path});
  SentencePair pair;
  ASSERT_TRUE(corpus.next(pair));
  EXPECT_EQ(corpus.place().text(), path + ":2");
  ASSERT_TRUE(corpus.next(pair));
  EXPECT_EQ(corpus.place().text(), path + ":4");
  EXPECT_EQ(corpus.count(), 2);
  EXPECT_EQ(count_pairs({.file = path}), 2);
}

TEST(ParallelCorpus, ReplacementsOfBothSidesAreCounted) {
  const TempDirectory directory;
  const CorpusSpec spec{.source_file = directory.write("a.en", "a\xFF\n"),
                        .target_file = directory.write("a.de", "\xC3\xFF\n"),
                        .invalid_utf8 = InvalidUtf8::kReplace};
  ParallelCorpus corpus(spec);
  SentencePair pair;
  ASSERT_TRUE(corpus.next(pair));
  EXPECT_EQ(pair.target, "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(corpus.replaced(), 3);
  EXPECT_EQ(corpus_name(spec), spec.source_file + " + " + spec.target_file);
}

TEST(ParallelCorpus, TheStemIsTheNameWithoutEndings) {
  EXPECT_EQ(corpus_stem("data/news.tsv.gz"), "news");
  EXPECT_EQ(corpus_stem("news.2014.csv"), "news.2014");
  EXPECT_EQ(corpus_stem("d.csv/test.en"), "test.en");
}

}  // namespace
}  // namespace linformer
