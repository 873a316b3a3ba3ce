// SPDX-License-Identifier: Apache-2.0
#include "engine/training_data.h"

#include "base/log.h"
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

/// Validation pairs are cut from the end of the training corpus, as the original does (or its last
/// 1 %).
void split_training(const RunConfig& config, const PairSetOptions& options,
                    const Tokenizer& tokenizer, TrainingData& out) {
  const CorpusSplit split = config.model.compatibility ? compatibility_split(out.train->size())
                                                       : held_out_split(out.train->size());
  PairSetOptions again = options;
  again.keep_text = config.training.validation_bleu != ValidationBleu::kOff;
  out.validation.emplace(again, tokenizer);
  out.validation->keep_range(static_cast<std::uint32_t>(split.train),
                             static_cast<std::uint32_t>(split.validation));
  out.train->keep_range(0, static_cast<std::uint32_t>(split.train));
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
  options.fraction = config.data.fraction;
  TrainingData out{std::make_shared<PairSet>(options, tokenizer), std::nullopt};
  if (const std::optional<CorpusSpec> validation = validation_corpus(config.data)) {
    PairSetOptions held_out = options;
    held_out.corpus = *validation;
    held_out.fraction = 1.0;
    held_out.keep_text = config.training.validation_bleu != ValidationBleu::kOff;
    out.validation.emplace(held_out, tokenizer);
  } else {
    split_training(config, options, tokenizer, out);
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
