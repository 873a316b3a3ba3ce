// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/fixed_text.h"
#include "base/log.h"
#include "cli/corpus_argument.h"
#include "cli/verbs.h"
#include "data/pretokenize.h"
#include "linformer/error.h"
#include "text/tokenizer.h"

namespace linformer {
namespace {

LongPolicy long_policy(const std::string& text) {
  if (text == "drop") return LongPolicy::kDrop;
  if (text == "truncate") return LongPolicy::kTruncate;
  if (text == "error") return LongPolicy::kError;
  throw UsageError("--long " + text + " (want drop, truncate or error)");
}

EmptyPolicy empty_policy(const std::string& text) {
  if (text == "skip") return EmptyPolicy::kSkip;
  if (text == "error") return EmptyPolicy::kError;
  if (text == "keep") return EmptyPolicy::kKeep;
  throw UsageError("--empty " + text + " (want skip, error or keep)");
}

std::string pairs_text(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " pair" : " pairs");
}

void report_left_out(const PretokenizeResult& result, std::int64_t max_length) {
  const std::string limit = " longer than " + std::to_string(max_length) + " tokens";
  if (result.dropped > 0) log_info("dropped " + pairs_text(result.dropped) + limit);
  if (result.truncated > 0) log_info("truncated " + pairs_text(result.truncated) + limit);
  if (result.skipped_empty > 0) {
    log_info("skipped " + pairs_text(result.skipped_empty) + " with an empty cell, the first at " +
             result.first_empty->text());
  }
  if (result.replaced > 0) {
    log_warning("replaced " + std::to_string(result.replaced) +
                " invalid UTF-8 sequences by U+FFFD");
  }
}

}  // namespace

int run_pretokenize(const PretokenizeOptions& options, const CommonOptions& common) {
  const auto start = std::chrono::steady_clock::now();
  if (options.tokenizer.empty())
    throw UsageError("--tokenizer is missing (want a directory with tokenizer.json)");
  if (options.output.empty())
    throw UsageError(
        "--output is missing (want the name of a token store, .lfs, or an npz corpus, .npz)");
  PretokenizeSpec spec;
  spec.corpus = corpus_spec(options.corpus, options.invalid_utf8);
  spec.corpus.document_column = options.document_column;
  spec.separator = options.separator;
  spec.output = options.output;
  spec.fraction = options.fraction;
  spec.max_length = options.max_length;
  spec.long_pairs = long_policy(options.long_pairs);
  spec.empty = empty_policy(options.empty);
  spec.threads = common.threads;
  const PretokenizeResult result = pretokenize(spec, Tokenizer::load(options.tokenizer));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double speed = static_cast<double>(result.text_bytes) / 1e6 / seconds;
  report_left_out(result, options.max_length);
  if (common.json) {
    const nlohmann::ordered_json json{{"pairs", result.pairs},
                                      {"sentences", result.sentences},
                                      {"dropped", result.dropped},
                                      {"truncated", result.truncated},
                                      {"skipped_empty", result.skipped_empty},
                                      {"replaced", result.replaced},
                                      {"source_tokens", result.source_tokens},
                                      {"target_tokens", result.target_tokens},
                                      {"bytes", result.bytes},
                                      {"seconds", seconds},
                                      {"megabytes_per_second", speed}};
    write_stdout(json.dump() + "\n");
    return 0;
  }
  const std::string joined = options.document_column.empty()
                                 ? ""
                                 : " of " + std::to_string(result.sentences) + " sentences";
  write_stdout(options.output + ": " + pairs_text(result.pairs) + joined + ", " +
               std::to_string(result.source_tokens) + " source and " +
               std::to_string(result.target_tokens) + " target tokens, " +
               std::to_string(result.bytes) + " bytes, " + fixed(seconds, 2) + " s, " +
               fixed(speed, 1) + " MB/s\n");
  return 0;
}

}  // namespace linformer
