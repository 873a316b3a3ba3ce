// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "base/utf8.h"
#include "data/csv_reader.h"
#include "data/csv_writer.h"
#include "data/parallel_corpus.h"
#include "support/fuzz_input.h"
#include "support/memory_directory.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows read_rows(const std::string& path, InvalidUtf8 policy, bool has_header) {
  CsvReader reader(path, policy);
  Rows rows;
  if (has_header) rows.push_back(reader.read_header());
  std::vector<std::string> row;
  while (reader.next(row)) {
    LF_CHECK(reader.line() >= reader.record_number(), "a record has at least one line");
    rows.push_back(row);
  }
  return rows;
}

std::string csv_text(const Rows& rows) {
  std::string out;
  for (const std::vector<std::string>& row : rows) {
    if (row.size() == 1) {
      append_csv_row(out, {row.front()});
      continue;
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      append_csv_field(out, row[i]);
    }
    out += '\n';
  }
  return out;
}

void check_records(const TempDirectory& directory, const FuzzInput& input, InvalidUtf8 policy) {
  const bool has_header = (input.mode & 1U) != 0;
  const Rows rows = read_rows(directory.write("in.csv", input.text), policy, has_header);
  const std::string copy = directory.write("copy.csv", csv_text(rows));
  LF_CHECK(read_rows(copy, InvalidUtf8::kError, has_header) == rows, "rows read back");
}

void check_side(std::string_view text) {
  LF_CHECK(!utf8_first_invalid(text), "a corpus is UTF-8");
  LF_CHECK(text.find_first_of(std::string_view("\0\r", 2)) == std::string_view::npos,
           "a corpus holds no NUL and no CR");
}

void check_corpus(const CorpusSpec& spec) {
  ParallelCorpus corpus(spec);
  SentencePair pair;
  while (corpus.next(pair)) {
    check_side(pair.source);
    check_side(pair.target);
  }
  LF_CHECK(corpus.count() > 0 && corpus.place().line >= corpus.count(), "a pair has a line");
}

}  // namespace

/// Mode: bits 0 to 2: records, with a header; CSV by name, by number; TSV by name, by number; line
/// files. Bit 3: replace what is not UTF-8.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TempDirectory directory;
  const FuzzInput input(data, size);
  const unsigned kind = input.mode & 7U;
  CorpusSpec spec;
  spec.invalid_utf8 = (input.mode & 8U) != 0 ? InvalidUtf8::kReplace : InvalidUtf8::kError;
  allow_refusal([&] {
    if (kind < 2) return check_records(directory, input, spec.invalid_utf8);
    if (kind >= 6) {
      spec.source_file = spec.target_file = directory.write("in.txt", input.text);
      return check_corpus(spec);
    }
    spec.file = directory.write(kind < 4 ? "in.csv" : "in.tsv", input.text);
    if ((kind & 1U) != 0) {
      spec.source_column = "2";
      spec.target_column = "1";
    }
    check_corpus(spec);
  });
  return 0;
}

}  // namespace linformer
