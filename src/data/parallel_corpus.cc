// SPDX-License-Identifier: Apache-2.0
#include "data/parallel_corpus.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "data/csv_reader.h"
#include "data/text_lines.h"
#include "data/tokenized_corpus.h"

namespace linformer {

class ParallelCorpus::Source {
 public:
  virtual ~Source() = default;
  virtual bool next(SentencePair& pair) = 0;
  virtual Place place() const = 0;
  virtual std::int64_t replaced() const = 0;
};

namespace {

constexpr std::size_t kMaxTsvLine = std::size_t{16} << 20;

std::string column_count(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " column" : " columns");
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::size_t column_index(const std::string& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number == 0) {
    throw UsageError("column " + text + " (want a name, or a number from 1)");
  }
  return number - 1;
}

/// Where the two sides, and the document's name if asked for, stand in a row.
class Columns {
 public:
  explicit Columns(const CorpusSpec& spec)
      : source_name_(spec.source_column),
        target_name_(spec.target_column),
        document_name_(spec.document_column),
        by_number_(is_number(spec.source_column)) {
    if (by_number_ != is_number(target_name_) ||
        (has_document() && by_number_ != is_number(document_name_))) {
      throw UsageError("columns " + source_name_ + " and " + target_name_ +
                       (has_document() ? " and " + document_name_ : "") +
                       " (want names, for a file with a header, or numbers, for one without)");
    }
    if (by_number_) {
      source_ = column_index(source_name_);
      target_ = column_index(target_name_);
      if (has_document()) document_ = column_index(document_name_);
    }
    if (source_name_ == target_name_ || (by_number_ && source_ == target_)) {
      throw UsageError("column " + source_name_ + " is both source and target");
    }
    if (document_name_ == source_name_ || document_name_ == target_name_) {
      throw UsageError("column " + document_name_ + " is both text and document");
    }
  }

  bool has_header() const { return !by_number_; }

  void read_header(const std::vector<std::string>& names, const std::string& path) {
    check_column_names(names, path);
    source_ = find_column(names, source_name_, path);
    target_ = find_column(names, target_name_, path);
    if (has_document()) document_ = find_column(names, document_name_, path);
  }

  /// Moves the cells of a row into `pair` by swapping, so that no memory is allocated.
  void take(std::vector<std::string>& row, const std::string& path, SentencePair& pair) const {
    const std::size_t last = std::max({source_, target_, document_});
    if (last >= row.size()) {
      throw DataError(path + ": no column " + std::to_string(last + 1) +
                      " (found: " + column_count(row.size()) + ")");
    }
    std::swap(pair.source, row[source_]);
    std::swap(pair.target, row[target_]);
    if (has_document()) std::swap(pair.document, row[document_]);
  }

 private:
  bool has_document() const { return !document_name_.empty(); }

  std::string source_name_;
  std::string target_name_;
  std::string document_name_;
  bool by_number_;
  std::size_t source_ = 0;
  std::size_t target_ = 0;
  std::size_t document_ = 0;
};

class CsvSource : public ParallelCorpus::Source {
 public:
  explicit CsvSource(const CorpusSpec& spec)
      : columns_(spec), reader_(spec.file, spec.invalid_utf8) {
    if (columns_.has_header()) columns_.read_header(reader_.read_header(), reader_.path());
  }
  bool next(SentencePair& pair) override {
    if (!reader_.next(row_)) return false;
    columns_.take(row_, reader_.path(), pair);
    return true;
  }
  Place place() const override { return {reader_.path(), reader_.line(), 0, {}}; }
  std::int64_t replaced() const override { return reader_.replaced(); }

 private:
  Columns columns_;
  CsvReader reader_;
  std::vector<std::string> row_;
};

class TsvSource : public ParallelCorpus::Source {
 public:
  explicit TsvSource(const CorpusSpec& spec)
      : columns_(spec), lines_(spec.file, spec.invalid_utf8, kMaxTsvLine) {
    if (!columns_.has_header()) return;
    if (!next_row()) throw DataError(lines_.path() + ": no rows (the file is empty)");
    columns_.read_header(row_, lines_.path());
  }
  bool next(SentencePair& pair) override {
    if (!next_row()) return false;
    columns_.take(row_, lines_.path(), pair);
    return true;
  }
  Place place() const override { return {lines_.path(), lines_.line_number(), 0, {}}; }
  std::int64_t replaced() const override { return lines_.replaced(); }

 private:
  bool next_row() {
    std::string_view line;
    do {
      if (!lines_.next(line)) return false;
    } while (line.empty());
    split(line);
    ++record_;
    if (width_ != 0 && row_.size() != width_) {
      throw DataError(place(), "record " + std::to_string(record_) + " has " +
                                   column_count(row_.size()) + " (want " + std::to_string(width_) +
                                   ", separated by tabs)");
    }
    width_ = row_.size();
    return true;
  }

  void split(std::string_view line) {
    std::size_t count = 0;
    for (std::size_t begin = 0; begin <= line.size(); ++count) {
      const std::size_t end = std::min(line.find('\t', begin), line.size());
      if (end - begin > kMaxCellSize)
        throw DataError(place(), "field is too long (want at most 1 MB)");
      if (count == row_.size()) row_.emplace_back();
      row_[count].assign(line.substr(begin, end - begin));
      begin = end + 1;
    }
    row_.resize(count);
  }

  Columns columns_;
  TextLines lines_;
  std::vector<std::string> row_;
  std::size_t width_ = 0;
  std::int64_t record_ = 0;
};

class LineSource : public ParallelCorpus::Source {
 public:
  explicit LineSource(const CorpusSpec& spec)
      : source_(spec.source_file, spec.invalid_utf8),
        target_(spec.target_file, spec.invalid_utf8) {}
  bool next(SentencePair& pair) override {
    std::string_view source;
    std::string_view target;
    const bool has_source = source_.next(source);
    const bool has_target = target_.next(target);
    if (has_source != has_target) {
      const std::string counts = source_.path() + " has " + std::to_string(source_.count_to_end()) +
                                 " lines, " + target_.path() + " has " +
                                 std::to_string(target_.count_to_end());
      throw DataError("line counts differ: " + counts);
    }
    if (!has_source) return false;
    pair.source = source;
    pair.target = target;
    return true;
  }
  Place place() const override { return {source_.path(), source_.line_number(), 0, {}}; }
  std::int64_t replaced() const override { return source_.replaced() + target_.replaced(); }

 private:
  TextLines source_;
  TextLines target_;
};

bool has_kind(const std::string& file, const std::string& extension) {
  return file.ends_with(extension) || file.ends_with(extension + ".gz");
}

std::unique_ptr<ParallelCorpus::Source> open_source(const CorpusSpec& spec) {
  const bool has_lines = !spec.source_file.empty() || !spec.target_file.empty();
  if (spec.file.empty() && !has_lines) {
    throw UsageError(
        "no corpus (want one .csv or .tsv file, or a source and a target file of lines)");
  }
  if (!spec.file.empty() && has_lines) {
    throw UsageError(spec.file + ": one corpus file and a pair of line files exclude each other");
  }
  if (has_lines) {
    if (!spec.document_column.empty()) {
      throw UsageError(spec.source_file + ": files of lines have no column " +
                       spec.document_column);
    }
    if (spec.source_file.empty() || spec.target_file.empty()) {
      throw UsageError(spec.source_file + spec.target_file +
                       ": a pair of line files needs both a source and a target file");
    }
    return std::make_unique<LineSource>(spec);
  }
  if (has_kind(spec.file, ".csv")) return std::make_unique<CsvSource>(spec);
  if (has_kind(spec.file, ".tsv")) return std::make_unique<TsvSource>(spec);
  throw UsageError(spec.file +
                   ": not a text corpus by its name (want .csv or .tsv, each also .gz, "
                   "or a source and a target file of lines)");
}

}  // namespace

ParallelCorpus::ParallelCorpus(const CorpusSpec& spec) : source_(open_source(spec)) {}
ParallelCorpus::~ParallelCorpus() = default;
ParallelCorpus::ParallelCorpus(ParallelCorpus&&) noexcept = default;

bool ParallelCorpus::next(SentencePair& pair) {
  if (source_->next(pair)) {
    ++count_;
    return true;
  }
  if (count_ == 0) throw DataError(source_->place().file + ": no rows");
  return false;
}

std::int64_t ParallelCorpus::count() const { return count_; }
Place ParallelCorpus::place() const { return source_->place(); }
std::int64_t ParallelCorpus::replaced() const { return source_->replaced(); }

std::string corpus_stem(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  for (const std::string_view ending : {".gz", ".csv", ".tsv"}) {
    if (name.ends_with(ending)) name = name.substr(0, name.size() - ending.size());
  }
  return name;
}

std::string corpus_name(const CorpusSpec& spec) {
  return spec.file.empty() ? spec.source_file + " + " + spec.target_file : spec.file;
}

std::int64_t count_pairs(const CorpusSpec& spec) {
  if (is_tokenized(spec)) return count_tokenized_pairs(spec.file);
  ParallelCorpus corpus(spec);
  SentencePair pair;
  while (corpus.next(pair)) {
  }
  return corpus.count();
}

}  // namespace linformer
