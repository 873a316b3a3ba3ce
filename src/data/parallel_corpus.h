// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "data/sentence_pair.h"
#include "data/text_check.h"
#include "linformer/error.h"

namespace linformer {

/// Where sentence pairs come from: `file` (.csv, .tsv, each also .gz), or `source_file` and
/// `target_file` (lines, each also .gz). Columns are all names (the file has a header line) or all
/// numbers from 1 (it has none); nothing is guessed.
struct CorpusSpec {
  std::string file;
  std::string source_file;
  std::string target_file;
  std::string source_column = "en";
  std::string target_column = "de";
  std::string document_column;  // empty = none
  InvalidUtf8 invalid_utf8 = InvalidUtf8::kError;
};

/// The pairs of a corpus in file order, in flat memory. CSV as CsvReader. TSV: cells between tabs,
/// no quoting; as in CSV an empty line is no row and every row has as many cells as the first.
/// Lines: the two files must have equally many.
class ParallelCorpus {
 public:
  /// Opens the files and reads the header. Throws UsageError for a spec that names no corpus, one
  /// of another kind or unusable columns; DataError for a missing or doubled column and for text as
  /// CsvReader refuses it; and as InputStream.
  explicit ParallelCorpus(const CorpusSpec& spec);
  ~ParallelCorpus();
  ParallelCorpus(ParallelCorpus&&) noexcept;

  /// The next pair; false at the end. The strings' memory is reused.
  /// Throws DataError also for a corpus without any row ("no rows") and for line files of different
  /// length (both counts).
  bool next(SentencePair& pair);

  /// Pairs that next() has returned.
  std::int64_t count() const;
  /// File and line on which the pair returned last begins (of the source in a pair of files).
  Place place() const;
  /// Invalid parts that became U+FFFD so far.
  std::int64_t replaced() const;

  /// What next() is made of for one kind of file.
  class Source;

 private:
  std::unique_ptr<Source> source_;
  std::int64_t count_ = 0;
};

/// How a corpus is named in messages: its file, or "SOURCE + TARGET".
std::string corpus_name(const CorpusSpec& spec);

/// "newstest2014" of "data/newstest2014.tsv.gz": a file's name without its directory and without
/// the endings of corpora.
std::string corpus_stem(const std::string& path);

/// Number of pairs, by reading the whole corpus once; of a token store or an npz corpus, by opening
/// it. Throws as ParallelCorpus, TokenStore or NpzCorpus.
std::int64_t count_pairs(const CorpusSpec& spec);

}  // namespace linformer
