// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "config/run_config.h"
#include "data/pair_set.h"
#include "text/tokenizer.h"

namespace linformer {

struct TrainingData {
  std::shared_ptr<PairSet> train;  // the loader's thread has a share in it
  std::optional<PairSet> validation;
};

/// The corpora of `data`, as ids. Without a validation corpus a part of the training corpus serves
/// (the original's split in compatibility mode, else 1 %): its end, or pairs drawn by the seed, as
/// data.split says. Throws ConfigError for a missing training corpus or a batch larger than it, and
/// as PairSet.
TrainingData load_training_data(const RunConfig& config, const Tokenizer& tokenizer);

/// The training or validation corpus of `data`; nothing where none is named. Throws ConfigError for
/// half a pair of files.
std::optional<CorpusSpec> training_corpus(const DataConfig& data);
std::optional<CorpusSpec> validation_corpus(const DataConfig& data);

}  // namespace linformer
