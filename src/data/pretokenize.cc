// SPDX-License-Identifier: Apache-2.0
#include "data/pretokenize.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>
#include <string>

#include "base/file.h"
#include "data/corpus_split.h"
#include "data/token_store.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr std::int64_t kSpecials = 2;  // <s> and </s>

void check_output(const std::string& path) {
  if (!path.ends_with(".lfs")) {
    throw UsageError(path + ": a token store needs a name that ends in .lfs");
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

/// Lengths limited, pairs counted.
class StoreFiller {
 public:
  StoreFiller(const PretokenizeSpec& spec, TokenStoreWriter& writer, PretokenizeResult& result)
      : spec_(spec), writer_(writer), result_(result) {}

  void add(const EncodedPair& pair) {
    const auto longest =
        static_cast<std::int64_t>(std::max(pair.source.size(), pair.target.size()));
    if (spec_.max_length == 0 || longest + kSpecials <= spec_.max_length) {
      writer_.append(pair.source, pair.target);
    } else if (spec_.long_pairs == LongPolicy::kTruncate) {
      writer_.append(cut(pair.source), cut(pair.target));
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

 private:
  std::span<const std::int32_t> cut(std::span<const std::int32_t> ids) const {
    return ids.first(std::min(ids.size(), static_cast<std::size_t>(spec_.max_length - kSpecials)));
  }

  const PretokenizeSpec& spec_;
  TokenStoreWriter& writer_;
  PretokenizeResult& result_;
};

}  // namespace

PretokenizeResult pretokenize(const PretokenizeSpec& spec, const Tokenizer& tokenizer) {
  check_output(spec.output);
  if (spec.max_length < 0 || (spec.max_length > 0 && spec.max_length <= kSpecials)) {
    throw UsageError("max_length " + std::to_string(spec.max_length) +
                     " (want at least 3, <s> and </s> counted, or 0 for no limit)");
  }
  EncodeOptions options{.rows = -1, .empty = spec.empty, .threads = spec.threads};
  check_fraction(spec.fraction);
  if (spec.fraction < 1) {
    options.rows = leading_pairs(count_pairs(spec.corpus), spec.fraction);
  }
  TokenStoreWriter writer(spec.output, static_cast<std::uint64_t>(tokenizer.vocab_size()),
                          tokenizer.digest());
  PretokenizeResult result;
  StoreFiller filler(spec, writer, result);
  const EncodeCounts counts = encode_corpus(spec.corpus, tokenizer, options,
                                            [&](const EncodedPair& pair) { filler.add(pair); });
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

}  // namespace linformer
