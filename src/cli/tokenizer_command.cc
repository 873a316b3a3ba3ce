// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/fixed_text.h"
#include "base/input_stream.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/verbs.h"
#include "data/parallel_corpus.h"
#include "data/text_lines.h"
#include "linformer/error.h"
#include "text/bpe_trainer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_spec.h"
#include "text/tokenizer_writer.h"

namespace linformer {
namespace {

constexpr std::size_t kMaxCodeLine = std::size_t{64} << 20;
constexpr std::size_t kOutputChunk = std::size_t{1} << 18;

bool is_table(const std::string& path) {
  return path.ends_with(".csv") || path.ends_with(".csv.gz") || path.ends_with(".tsv") ||
         path.ends_with(".tsv.gz");
}

/// Both sides of a table, every line of another file.
void add_input(const std::string& path, BpeTrainer& trainer) {
  if (is_table(path)) {
    CorpusSpec spec;
    spec.file = path;
    ParallelCorpus corpus(spec);
    SentencePair pair;
    while (corpus.next(pair)) {
      trainer.add_line(pair.source);
      trainer.add_line(pair.target);
    }
    return;
  }
  TextLines lines(path);
  std::string_view line;
  while (lines.next(line)) trainer.add_line(line);
}

/// Results line by line, or all in one JSON object {"NAME": [...]}, written in large pieces.
class LineOutput {
 public:
  LineOutput(bool json, std::string_view name) : json_(json) {
    if (json_) buffer_ = "{\"" + std::string(name) + "\": [";
  }

  /// The text to append one line's result to; its separators are this class's.
  std::string& begin_line() {
    if (json_ && count_ > 0) buffer_ += ", ";
    ++count_;
    return buffer_;
  }
  void end_line() {
    if (!json_) buffer_ += '\n';
    if (buffer_.size() >= kOutputChunk) flush();
  }
  void finish() {
    if (json_) buffer_ += "]}\n";
    flush();
  }

 private:
  void flush() {
    write_stdout(buffer_);
    buffer_.clear();
  }

  bool json_;
  std::string buffer_;
  std::int64_t count_ = 0;
};

void append_ids(const std::vector<std::int32_t>& ids, std::string_view separator,
                std::string& out) {
  std::array<char, 16> digits{};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += separator;
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), ids[i]);
    out.append(digits.data(), result.ptr);
  }
}

/// The ids of one line; DataError "stdin:LINE:COL" for what is not one.
void read_ids(std::string_view line, std::int64_t number, std::int64_t vocab_size,
              std::vector<std::int32_t>& ids) {
  ids.clear();
  for (std::size_t begin = 0; begin < line.size();) {
    if (line[begin] == ' ' || line[begin] == '\t') {
      ++begin;
      continue;
    }
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    const std::string_view text = line.substr(begin, end - begin);
    std::int32_t id = -1;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), id);
    const bool whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
    if (!whole || id < 0 || id >= vocab_size) {
      throw DataError(Place{"stdin", number, static_cast<std::int64_t>(begin) + 1, {}},
                      quote_token(text) + " is not a token id (want 0.." +
                          std::to_string(vocab_size - 1) + ")");
    }
    ids.push_back(id);
    begin = end;
  }
}

std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void encode_lines(const Tokenizer& tokenizer, const TokenizerCodeOptions& options, bool json) {
  LineReader reader("-", kMaxCodeLine);
  LineOutput output(json, "ids");
  std::vector<std::int32_t> ids;
  std::string replaced;
  std::int64_t num_invalid = 0;
  std::string_view line;
  while (reader.next(line)) {
    if (utf8_first_invalid(line)) {
      replaced = utf8_replace_invalid(line);
      line = replaced;
      ++num_invalid;
    }
    if (options.no_special) {
      ids.clear();
      tokenizer.encode(line, ids);
      const auto limit = static_cast<std::size_t>(options.max_length);
      if (limit > 0 && ids.size() > limit) ids.resize(limit);
    } else {
      ids = tokenizer.encode_with_special(line, options.max_length);
    }
    std::string& out = output.begin_line();
    if (json) out += '[';
    append_ids(ids, json ? ", " : " ", out);
    if (json) out += ']';
    output.end_line();
  }
  output.finish();
  if (num_invalid > 0) {
    log_warning("invalid UTF-8 in " + counted(num_invalid, "line") + ", replaced by U+FFFD");
  }
}

/// Special tokens are left out and nothing is cleaned up, so that decode undoes encode.
void decode_lines(const Tokenizer& tokenizer, bool json) {
  LineReader reader("-", kMaxCodeLine);
  LineOutput output(json, "texts");
  std::vector<std::int32_t> ids;
  std::int64_t num_broken = 0;
  std::string_view line;
  while (reader.next(line)) {
    read_ids(line, reader.line_number(), tokenizer.vocab_size(), ids);
    std::string text = tokenizer.decode(ids, true, false);
    if (json) {
      output.begin_line() += nlohmann::json(text).dump();
    } else {
      if (text.find_first_of("\r\n") != std::string::npos) {
        std::replace(text.begin(), text.end(), '\n', ' ');
        std::replace(text.begin(), text.end(), '\r', ' ');
        ++num_broken;
      }
      output.begin_line() += text;
    }
    output.end_line();
  }
  output.finish();
  if (num_broken > 0) {
    log_warning("line breaks in the text of " + counted(num_broken, "line") +
                ", replaced by spaces");
  }
}

}  // namespace

int run_tokenizer_train(const TokenizerTrainOptions& options, const CommonOptions& common) {
  const auto start = std::chrono::steady_clock::now();
  if (options.inputs.empty())
    throw UsageError("no INPUT (want text files, .csv or .tsv, also .gz)");
  if (options.output.empty())
    throw UsageError("--output is missing (want the name of a directory)");
  check_tokenizer_directory(options.output);
  BpeTrainer trainer({.vocab_size = options.vocab_size,
                      .lowercase = options.lowercase,
                      .min_frequency = options.min_frequency,
                      .threads = common.threads});
  for (const std::string& input : options.inputs) add_input(input, trainer);
  const Tokenizer tokenizer = trainer.train();
  tokenizer.save(options.output);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::int64_t vocab_size = tokenizer.vocab_size();
  const std::size_t merges = tokenizer.spec().merges.size();
  if (vocab_size < options.vocab_size) {
    log_warning("the text gives only " + std::to_string(vocab_size) + " of " +
                std::to_string(options.vocab_size) + " entries");
  }
  if (common.json) {
    const nlohmann::ordered_json json{
        {"vocab_size", vocab_size}, {"merges", merges}, {"seconds", seconds}};
    write_stdout(json.dump() + "\n");
  } else {
    write_stdout(options.output + ": " + std::to_string(vocab_size) + " entries, " +
                 std::to_string(merges) + " merges, " + fixed(seconds, 2) + " s\n");
  }
  return 0;
}

int run_tokenizer_code(const TokenizerCodeOptions& options, const CommonOptions& common) {
  if (options.tokenizer.empty()) {
    throw UsageError("--tokenizer is missing (want a directory with tokenizer.json)");
  }
  if (options.max_length < 0 || (options.max_length == 1 && !options.no_special)) {
    throw UsageError("--max-length " + std::to_string(options.max_length) +
                     " (want at least 2, for <s> and </s>, or 0 for no limit)");
  }
  const Tokenizer tokenizer = Tokenizer::load(options.tokenizer);
  if (options.decode) {
    decode_lines(tokenizer, common.json);
  } else {
    encode_lines(tokenizer, options, common.json);
  }
  return 0;
}

}  // namespace linformer
