// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/fixed_text.h"
#include "base/log.h"
#include "cli/corpus_argument.h"
#include "cli/verbs.h"
#include "data/corpus_encoder.h"
#include "data/length_statistics.h"
#include "data/token_store.h"
#include "linformer/error.h"
#include "text/tokenizer.h"

namespace linformer {
namespace {

constexpr std::int64_t kSpecials = 2;  // lengths count <s> and </s>, as the original's script does

struct Statistics {
  LengthStatistics source;
  LengthStatistics target;
  std::int64_t skipped_empty = 0;
};

Statistics of_store(const StatsOptions& options) {
  const TokenStore store(options.corpus.file);
  if (!options.tokenizer.empty()) {
    store.require_tokenizer(Tokenizer::load(options.tokenizer).digest());
  }
  Statistics statistics;
  for (std::uint32_t pair = 0; pair < store.size(); ++pair) {
    statistics.source.add(store.length(pair, Side::kSource) + kSpecials);
    statistics.target.add(store.length(pair, Side::kTarget) + kSpecials);
  }
  return statistics;
}

Statistics of_text(const StatsOptions& options, std::int64_t threads) {
  if (options.tokenizer.empty()) {
    throw UsageError(
        "--tokenizer is missing (want a directory with tokenizer.json; only a token store "
        "needs none)");
  }
  Statistics statistics;
  const EncodeCounts counts = encode_corpus(
      corpus_spec(options.corpus), Tokenizer::load(options.tokenizer),
      {.empty = EmptyPolicy::kSkip, .threads = threads}, [&](const EncodedPair& pair) {
        statistics.source.add(static_cast<std::int64_t>(pair.source.size()) + kSpecials);
        statistics.target.add(static_cast<std::int64_t>(pair.target.size()) + kSpecials);
      });
  statistics.skipped_empty = counts.skipped_empty;
  if (counts.skipped_empty > 0) {
    log_info("skipped " + std::to_string(counts.skipped_empty) +
             " pairs with an empty cell, the first at " + counts.first_empty->text());
  }
  return statistics;
}

nlohmann::ordered_json to_json(const LengthSummary& summary) {
  return {{"min", summary.min}, {"mean", summary.mean}, {"max", summary.max},
          {"p50", summary.p50}, {"p90", summary.p90},   {"p99", summary.p99}};
}

std::string table_row(const std::string& name, const std::array<std::string, 6>& cells) {
  std::string out = name + std::string(8 - name.size(), ' ');
  for (const std::string& cell : cells) {
    out += std::string(cell.size() < 9 ? 9 - cell.size() : 1, ' ') + cell;
  }
  return out + "\n";
}

std::string table_row(const std::string& name, const LengthSummary& summary) {
  return table_row(
      name, {std::to_string(summary.min), fixed(summary.mean, 2), std::to_string(summary.max),
             fixed(summary.p50, 1), fixed(summary.p90, 1), fixed(summary.p99, 1)});
}

}  // namespace

int run_stats(const StatsOptions& options, const CommonOptions& common) {
  const Statistics statistics =
      options.corpus.file.ends_with(".lfs") ? of_store(options) : of_text(options, common.threads);
  const LengthSummary source = statistics.source.summary();
  const LengthSummary target = statistics.target.summary();
  if (common.json) {
    const nlohmann::ordered_json json{{"pairs", statistics.source.count()},
                                      {"skipped_empty", statistics.skipped_empty},
                                      {"source", to_json(source)},
                                      {"target", to_json(target)}};
    write_stdout(json.dump() + "\n");
    return 0;
  }
  write_stdout(table_row("tokens", {"min", "mean", "max", "p50", "p90", "p99"}) +
               table_row("source", source) + table_row("target", target) +
               std::to_string(statistics.source.count()) + " pairs; tokens count <s> and </s>\n");
  return 0;
}

}  // namespace linformer
