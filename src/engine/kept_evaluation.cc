// SPDX-License-Identifier: Apache-2.0
#include "engine/kept_evaluation.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/model_file.h"
#include "engine/build_info.h"
#include "linformer/version.h"
#include "tracking/tracking_sinks.h"

namespace linformer {
namespace {

constexpr std::size_t kNumExamples = 8;

void set_data(EvaluationRecord& record, const CorpusSpec& spec) {
  record.test_set = corpus_stem(spec.file.empty() ? spec.source_file : spec.file);
  for (const std::string& path : {spec.file, spec.source_file, spec.target_file}) {
    if (path.empty()) continue;
    record.data.push_back({std::filesystem::path(path).filename().string(), sha256_file(path)});
  }
}

void set_scores(EvaluationRecord& record, const Evaluation& e) {
  record.bleu = e.bleu.score;
  record.bleu_interval = {{e.bleu_interval.lower, e.bleu_interval.upper}};
  record.signature = e.bleu.signature;
  record.precisions = e.bleu.precisions;
  record.bp = e.bleu.brevity_penalty;
  record.hyp_len = e.bleu.hypothesis_length;
  record.ref_len = e.bleu.reference_length;
  record.chrf = e.chrf.score;
  record.chrf_signature = e.chrf.signature;
  record.perplexity = e.perplexity;
  record.cross_entropy = e.cross_entropy;
  record.bits_per_byte = e.bits_per_byte;
}

void set_counts(EvaluationRecord& record, const Evaluation& e) {
  record.sentences = e.sentences;
  record.sequences = e.sequences;
  record.misaligned = e.misaligned;
  record.tokens = e.tokens;
  record.generated_tokens = e.generated_tokens;
  record.tokens_per_second =
      static_cast<double>(e.generated_tokens) / std::max(e.translate_seconds, 1e-9);
  record.stopped_by_limit = e.stopped_by_limit;
  record.truncated_sources = e.truncated_sources;
  record.empty_candidates = e.empty_candidates;
  record.seconds = e.seconds;
}

void set_examples(EvaluationRecord& record, const std::vector<SentencePair>& pairs,
                  const std::vector<std::string>& candidates) {
  const std::size_t count = std::min(kNumExamples, pairs.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = i * pairs.size() / count;
    record.examples.push_back(
        {static_cast<std::int64_t>(row), pairs[row].source, pairs[row].target, candidates[row]});
  }
}

}  // namespace

EvaluationRecord evaluation_record(const Evaluation& evaluation, const LoadedModel& loaded,
                                   const EvaluatedCorpus& corpus,
                                   const EvaluationOptions& options) {
  EvaluationRecord record;
  set_data(record, corpus.spec);
  set_scores(record, evaluation);
  set_counts(record, evaluation);
  if (evaluation.longer_than_k) {
    record.projected_length = loaded.config.model.projected_length;
    record.sources_longer_than_k = evaluation.longer_than_k;
  }
  record.tokenize = bleu_tokenize_name(options.tokenize);
  record.max_new_tokens = options.max_new_tokens;
  record.separator = corpus.separator;
  record.checkpoint = loaded.generation.path;
  record.step = loaded.generation.step;
  record.device = loaded.device.description;
  record.linformer = kVersion;
  record.libtorch = kTorchVersion;
  set_examples(record, corpus.pairs, evaluation.candidates);
  return record;
}

void keep_record(const EvaluationRecord& record, const LoadedModel& loaded) {
  if (model_kind(loaded.generation.path) != ModelKind::kRun) return;
  const std::string run = parent_directory(loaded.generation.path);
  if (::access(run.c_str(), W_OK) != 0) {
    log_warning("this evaluation is not kept in " + run + ", which may not be written to");
    return;
  }
  log_info("kept as " + keep_evaluation(run, record));
  const bool is_average = std::filesystem::path(run).filename() == "averaged";
  track_evaluation(is_average ? parent_directory(run) : run, loaded.config, record,
                   is_average ? "test_averaged" : "test");
}

}  // namespace linformer
