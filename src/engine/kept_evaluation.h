// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/parallel_corpus.h"
#include "engine/evaluation.h"
#include "engine/loaded_model.h"
#include "tracking/evaluation_record.h"

namespace linformer {

/// What was evaluated, beside the model.
struct EvaluatedCorpus {
  const CorpusSpec& spec;
  const std::vector<SentencePair>& pairs;
  std::string separator;  // between joined sentences; empty = none are joined
};

/// The record of one evaluation, with a few translations at even distances. Reads the corpus's
/// files once more for their digests.
EvaluationRecord evaluation_record(const Evaluation& evaluation, const LoadedModel& loaded,
                                   const EvaluatedCorpus& corpus, const EvaluationOptions& options);

/// Leaves the record in the run directory that the checkpoint is part of, for `report`. A model
/// file (.pt, .safetensors) has none; a directory that cannot be written to costs a warning.
void keep_record(const EvaluationRecord& record, const LoadedModel& loaded);

}  // namespace linformer
