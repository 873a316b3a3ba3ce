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

/// Puts the record into the run of the checkpoint, if it is one's, and its scores into the W&B run
/// of its training (tracking/tracking_sinks.h); a run that may not be written to
/// costs a warning. Throws IoError.
void keep_record(const EvaluationRecord& record, const LoadedModel& loaded);

}  // namespace linformer
