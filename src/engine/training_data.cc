// SPDX-License-Identifier: Apache-2.0
#include "engine/training_data.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/log.h"
#include "data/batch_sampler.h"
#include "data/corpus_split.h"
#include "linformer/error.h"

namespace linformer {
namespace {

std::optional<CorpusSpec> corpus_of(const DataConfig& data, const std::string& key,
                                    const std::string& file, const std::string& source,
                                    const std::string& target) {
  if (source.empty() != target.empty()) {
    throw ConfigError("data." + key + (source.empty() ? "_source" : "_target") +
                      " is missing: a corpus of line files needs both");
  }
  if (!file.empty() && !source.empty()) {
    throw ConfigError("data." + key + " and data." + key + "_source are both given; keep one");
  }
  if (file.empty() && source.empty()) return std::nullopt;
  CorpusSpec spec;
  spec.file = file;
  spec.source_file = source;
  spec.target_file = target;
  spec.source_column = data.source_language;
  spec.target_column = data.target_language;
  return spec;
}

void report(const char* what, const PairSet& pairs) {
  std::string text = std::string(what) + ": " + std::to_string(pairs.size()) + " pairs";
  if (pairs.dropped() > 0) text += ", " + std::to_string(pairs.dropped()) + " too long and dropped";
  if (pairs.truncated() > 0) text += ", " + std::to_string(pairs.truncated()) + " truncated";
  if (pairs.skipped_empty() > 0) {
    text += ", " + std::to_string(pairs.skipped_empty()) + " with an empty side skipped";
  }
  log_info(text);
}

/// The epoch whose order random parts are drawn in: none that is trained.
constexpr std::int64_t kSplitEpoch = -1;

/// The pairs that data.fraction means, in the order in which they are split.
std::vector<std::uint32_t> used_pairs(const RunConfig& config, const PairSet& pairs) {
  if (config.data.split == DataSplit::kRandom) {
    std::vector<std::uint32_t> order = epoch_order(config.seed, kSplitEpoch, pairs.size());
    order.resize(static_cast<std::size_t>(leading_pairs(pairs.size(), config.data.fraction)));
    return order;
  }
  std::vector<std::uint32_t> order(pairs.size());  // loaded by fraction
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

/// Keeps `count` of these pairs from `first` on, in file order.
void keep_part(PairSet& pairs, const std::vector<std::uint32_t>& order, std::int64_t first,
               std::int64_t count) {
  std::vector<std::uint32_t> part(order.begin() + first, order.begin() + first + count);
  std::sort(part.begin(), part.end());
  pairs.keep(part);
}

/// Validation pairs are cut from the training corpus: the original's split, or the last 1 %.
void split_training(const RunConfig& config, const PairSetOptions& options,
                    const std::vector<std::uint32_t>& order, const Tokenizer& tokenizer,
                    TrainingData& out) {
  const auto size = static_cast<std::int64_t>(order.size());
  const CorpusSplit split =
      config.model.compatibility ? compatibility_split(size) : held_out_split(size);
  PairSetOptions again = options;
  again.keep_text = config.training.validation_bleu != ValidationBleu::kOff;
  out.validation.emplace(again, tokenizer);
  keep_part(*out.validation, order, split.train, split.validation);
  keep_part(*out.train, order, 0, split.train);
}

}  // namespace

std::optional<CorpusSpec> training_corpus(const DataConfig& data) {
  return corpus_of(data, "train", data.train, data.train_source, data.train_target);
}

std::optional<CorpusSpec> validation_corpus(const DataConfig& data) {
  return corpus_of(data, "validation", data.validation, data.validation_source,
                   data.validation_target);
}

TrainingData load_training_data(const RunConfig& config, const Tokenizer& tokenizer) {
  const std::optional<CorpusSpec> train = training_corpus(config.data);
  if (!train)
    throw ConfigError("data.train is missing: give --train FILE or data.train in the YAML");
  PairSetOptions options;
  options.corpus = *train;
  options.max_length = config.data.max_length;
  options.long_pairs = config.data.long_pairs;
  if (config.data.split == DataSplit::kOrdered) options.fraction = config.data.fraction;
  TrainingData out{std::make_shared<PairSet>(options, tokenizer), std::nullopt};
  const std::vector<std::uint32_t> order = used_pairs(config, *out.train);
  if (const std::optional<CorpusSpec> validation = validation_corpus(config.data)) {
    PairSetOptions held_out = options;
    held_out.corpus = *validation;
    held_out.fraction = 1.0;
    held_out.keep_text = config.training.validation_bleu != ValidationBleu::kOff;
    out.validation.emplace(held_out, tokenizer);
    const auto used = static_cast<std::int64_t>(order.size());
    if (used < out.train->size()) keep_part(*out.train, order, 0, used);
  } else {
    split_training(config, options, order, tokenizer, out);
  }
  if (config.training.batch_size > out.train->size()) {
    throw ConfigError("training.batch_size is larger than the training corpus (got " +
                      std::to_string(config.training.batch_size) + ", want at most " +
                      std::to_string(out.train->size()) + ")");
  }
  report("training", *out.train);
  report("validation", *out.validation);
  return out;
}

}  // namespace linformer
