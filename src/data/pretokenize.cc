// SPDX-License-Identifier: Apache-2.0
#include "data/pretokenize.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/file.h"
#include "data/corpus_split.h"
#include "data/document_joiner.h"
#include "data/npz_corpus.h"
#include "data/token_store.h"
#include "data/tokenized_corpus.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr std::int64_t kSpecials = 2;  // <s> and </s>

void check_output(const std::string& path) {
  if (!path.ends_with(".lfs") && !path.ends_with(".npz")) {
    throw UsageError(path + ": want a name that ends in .lfs (token store) or .npz (npz corpus)");
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw UsageError(path + ": is a directory (want the name of a file)");
  }
  const std::string directory = parent_directory(path);
  if (!std::filesystem::is_directory(directory, ignored)) {
    throw UsageError(path + ": there is no directory " + directory);
  }
  if (::access(directory.c_str(), W_OK) != 0) {
    throw UsageError(path + ": cannot write in " + directory + ": " + errno_text(errno));
  }
}

void check_max_length(const PretokenizeSpec& spec) {
  if (spec.max_length < 0 || (spec.max_length > 0 && spec.max_length <= kSpecials)) {
    throw UsageError("max_length " + std::to_string(spec.max_length) +
                     " (want at least 3, <s> and </s> counted, or 0 for no limit)");
  }
  if (spec.max_length == 0 && spec.output.ends_with(".npz")) {
    throw UsageError(spec.output +
                     ": --max-length is missing (the columns of an npz corpus; the original's has "
                     "256)");
  }
}

/// A file that is removed at the end, if it is there.
struct TemporaryFile {
  explicit TemporaryFile(std::string name) : path(std::move(name)) {}
  ~TemporaryFile() { ::unlink(path.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  std::string path;
};

void check_documents(const PretokenizeSpec& spec) {
  if (spec.corpus.document_column.empty()) return;
  if (is_tokenized(spec.corpus)) {
    throw UsageError(spec.corpus.file + ": holds ids and no column " + spec.corpus.document_column +
                     " (want the text)");
  }
  if (spec.max_length == 0) {
    throw UsageError("--max-length is missing (how long the joined parts of a document may be)");
  }
}

/// Lengths limited, documents joined, pairs counted.
class StoreFiller {
 public:
  StoreFiller(const PretokenizeSpec& spec, const Tokenizer& tokenizer, TokenStoreWriter& writer,
              PretokenizeResult& result)
      : spec_(spec), writer_(writer), result_(result) {
    if (spec.corpus.document_column.empty()) return;
    joiner_.emplace(
        spec.max_length - kSpecials, separator_id(tokenizer, spec.separator),
        [&writer](std::span<const std::int32_t> source, std::span<const std::int32_t> target,
                  std::int64_t /*sentences*/) { writer.append(source, target); });
  }

  void add(const EncodedPair& pair) {
    const auto longest =
        static_cast<std::int64_t>(std::max(pair.source.size(), pair.target.size()));
    if (spec_.max_length == 0 || longest + kSpecials <= spec_.max_length) {
      append(pair.source, pair.target, pair.document);
    } else if (spec_.long_pairs == LongPolicy::kTruncate) {
      append(cut(pair.source), cut(pair.target), pair.document);
      ++result_.truncated;
    } else if (spec_.long_pairs == LongPolicy::kDrop) {
      ++result_.dropped;
    } else {
      const std::string& file =
          spec_.corpus.file.empty() ? spec_.corpus.source_file : spec_.corpus.file;
      throw DataError(Place{file, pair.line, 0, {}},
                      "pair is too long (got " + std::to_string(longest + kSpecials) +
                          " tokens, want at most " + std::to_string(spec_.max_length) +
                          "); --long drop or truncate goes on");
    }
  }
  void finish() {
    if (joiner_) joiner_->finish();
  }

 private:
  void append(std::span<const std::int32_t> source, std::span<const std::int32_t> target,
              std::string_view document) {
    ++result_.sentences;
    if (joiner_) {
      joiner_->add(source, target, document);
    } else {
      writer_.append(source, target);
    }
  }

  std::span<const std::int32_t> cut(std::span<const std::int32_t> ids) const {
    return ids.first(std::min(ids.size(), static_cast<std::size_t>(spec_.max_length - kSpecials)));
  }

  const PretokenizeSpec& spec_;
  TokenStoreWriter& writer_;
  PretokenizeResult& result_;
  std::optional<DocumentJoiner> joiner_;
};

/// Writes the store `output` of the corpus.
PretokenizeResult write_store(const PretokenizeSpec& spec, const Tokenizer& tokenizer,
                              const std::string& output) {
  EncodeOptions options{.rows = -1, .empty = spec.empty, .threads = spec.threads};
  if (spec.fraction < 1) {
    options.rows = leading_pairs(count_pairs(spec.corpus), spec.fraction);
  }
  TokenStoreWriter writer(output, static_cast<std::uint64_t>(tokenizer.vocab_size()),
                          tokenizer.digest());
  PretokenizeResult result;
  StoreFiller filler(spec, tokenizer, writer, result);
  const EncodeCounts counts = encode_corpus(spec.corpus, tokenizer, options,
                                            [&](const EncodedPair& pair) { filler.add(pair); });
  filler.finish();
  result.pairs = writer.info().pairs;
  result.skipped_empty = counts.skipped_empty;
  result.first_empty = counts.first_empty;
  if (result.pairs == 0) {
    throw DataError(corpus_name(spec.corpus) + ": no pair is left of " +
                    std::to_string(counts.rows) + " (" + std::to_string(result.dropped) +
                    " too long, " + std::to_string(result.skipped_empty) + " empty)");
  }
  writer.commit();
  result.replaced = counts.replaced;
  result.text_bytes = counts.text_bytes;
  result.source_tokens = static_cast<std::int64_t>(writer.info().source_tokens);
  result.target_tokens = static_cast<std::int64_t>(writer.info().target_tokens);
  result.bytes = static_cast<std::int64_t>(writer.info().bytes);
  return result;
}

}  // namespace

PretokenizeResult pretokenize(const PretokenizeSpec& spec, const Tokenizer& tokenizer) {
  check_output(spec.output);
  check_max_length(spec);
  check_fraction(spec.fraction);
  check_documents(spec);
  if (spec.output.ends_with(".lfs")) return write_store(spec, tokenizer, spec.output);
  // The arrays stand one after another and their sizes first: pairs are counted and kept before.
  const TemporaryFile store(random_name(spec.output + ".tmp-"));
  PretokenizeResult result = write_store(spec, tokenizer, store.path);
  result.bytes = static_cast<std::int64_t>(write_npz_corpus(
      TokenStore(store.path), tokenizer, static_cast<std::uint32_t>(spec.max_length), spec.output));
  return result;
}

}  // namespace linformer
