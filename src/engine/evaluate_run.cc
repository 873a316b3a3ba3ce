// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/fixed_text.h"
#include "base/log.h"
#include "cli/corpus_argument.h"
#include "data/csv_writer.h"
#include "data/document_joiner.h"
#include "engine/evaluation.h"
#include "engine/kept_evaluation.h"
#include "engine/loaded_model.h"
#include "engine/runs.h"
#include "linformer/error.h"
#include "tracking/wandb_run_path.h"

namespace linformer {
namespace {

constexpr double kEvidenceShare = 0.5;
constexpr std::chrono::seconds kProgressInterval{15};

std::vector<SentencePair> read_pairs(const CorpusSpec& spec) {
  std::vector<SentencePair> pairs;
  ParallelCorpus corpus(spec);
  for (SentencePair pair; corpus.next(pair);) pairs.push_back(pair);
  return pairs;
}

/// JSON knows no infinity.
nlohmann::ordered_json finite_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

void print_json(const Evaluation& e, const EvaluationRecord& record) {
  auto json = nlohmann::ordered_json::parse(evaluation_json(record));
  if (e.as_seed) {
    json["as_seed"] = {{"bleu", e.as_seed->bleu.score},
                       {"hyp_len", e.as_seed->bleu.hypothesis_length},
                       {"perplexity", finite_or_null(e.as_seed->perplexity)},
                       {"validation_perplexity", finite_or_null(e.as_seed->validation_perplexity)},
                       {"changed_references", e.as_seed->changed_references}};
  }
  write_stdout(json.dump() + "\n");
}

std::string perplexity_text(double perplexity) {
  return "perplexity " +
         (std::isfinite(perplexity) ? fixed(perplexity, 4) : "too large for a number");
}

void print_text(const Evaluation& e, const EvaluationRecord& record, const LoadedModel& loaded) {
  std::string text = e.bleu.line() + "\n" + e.chrf.line() + "\n";
  text += "95 % interval of BLEU, by bootstrap: " + fixed(e.bleu_interval.lower, 2) + " to " +
          fixed(e.bleu_interval.upper, 2) + "\n";
  text += std::isfinite(e.perplexity) ? perplexity_text(e.perplexity)
                                      : "cross-entropy " + fixed(e.cross_entropy, 2) + " nats";
  text += ", " + fixed(e.bits_per_byte, 4) + " bits per byte, over " + std::to_string(e.tokens) +
          " reference tokens\n";
  text += std::to_string(e.sentences) + " sentences" +
          (e.sequences == e.sentences ? "" : " of " + std::to_string(e.sequences) + " sequences") +
          " in " + fixed(e.seconds, 1) + " s, translated at " + fixed(record.tokens_per_second, 0) +
          " tokens/s (" + loaded.device.description + ")\n";
  if (e.longer_than_k) {
    text += "sources longer than k = " + std::to_string(loaded.config.model.projected_length) +
            ": " + fixed(100.0 * *e.longer_than_k, 1) + " %";
    text +=
        *e.longer_than_k < kEvidenceShare ? " (too few to show what the projection costs)\n" : "\n";
  }
  if (e.as_seed) {
    text += "as the original computed it: BLEU " + fixed(e.as_seed->bleu.score, 2) +
            " of its first sentence (" + std::to_string(e.as_seed->bleu.hypothesis_length) +
            " tokens) against all references, " + perplexity_text(e.as_seed->perplexity) +
            "; in its training, " + perplexity_text(e.as_seed->validation_perplexity) + "\n";
  }
  write_stdout(text);
}

void warn(const Evaluation& e, const LoadedModel& loaded) {
  const auto of_all = [&](std::int64_t count) {
    return std::to_string(count) + " of " + std::to_string(e.sentences);
  };
  const std::string sequences = std::to_string(e.sequences);
  if (e.misaligned > 0) {
    log_warning(std::to_string(e.misaligned) + " of " + sequences +
                " translations hold more or fewer sentences than their sources: sentences are "
                "counted from the first, and missing ones are empty");
  }
  if (e.truncated_sources > 0) {
    log_warning(of_all(e.truncated_sources) + " sources were cut to max_length " +
                std::to_string(loaded.config.model.max_length));
  }
  if (e.stopped_by_limit > 0) {
    log_warning(std::to_string(e.stopped_by_limit) + " of " + sequences +
                " translations were stopped by the length limit (--max-new-tokens)");
  }
  if (e.empty_candidates > 0) log_warning(of_all(e.empty_candidates) + " translations are empty");
}

void write_translations(AtomicFile& file, const std::vector<SentencePair>& pairs,
                        const Evaluation& e) {
  std::string rows;
  append_csv_row(rows, {"input", "candidate", "reference"});
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    append_csv_row(rows, {pairs[i].source, e.candidates[i], pairs[i].target});
  }
  file.write(rows);
  file.commit();
}

}  // namespace

int run_evaluate(const EvaluateOptions& options, const CommonOptions& common) {
  if (options.beam != 1) {
    throw UsageError("--beam " + std::to_string(options.beam) +
                     ": this version searches greedily (want 1)");
  }
  EvaluationOptions evaluation_options;
  evaluation_options.tokenize = bleu_tokenize_named(options.tokenize);
  evaluation_options.max_new_tokens = options.max_new_tokens;
  evaluation_options.batch_tokens = options.batch_tokens;
  evaluation_options.as_seed = options.as_seed;
  const bool is_joined = !options.document_column.empty();
  if (is_joined && options.as_seed) {
    throw UsageError("--as-seed translates sentence by sentence (want no --document-column)");
  }
  CorpusSpec corpus = corpus_spec(options.corpus);
  corpus.document_column = options.document_column;
  const std::vector<SentencePair> pairs = read_pairs(corpus);
  LoadedModel loaded = load_model(options.checkpoint, common, options.model_file);
  if (is_joined) {
    evaluation_options.separator = separator_id(*loaded.tokenizer, options.separator);
  }
  // Opened before the work, so that a directory that cannot be written to costs no evaluation.
  std::optional<AtomicFile> output;
  if (!options.output.empty()) output.emplace(options.output);
  log_info("evaluating " + loaded.generation.path + " on " + std::to_string(pairs.size()) +
           " sentence pairs; device: " + loaded.device.description);
  auto next_report = std::chrono::steady_clock::now() + kProgressInterval;
  evaluation_options.on_progress = [&](std::int64_t sentences) {
    if (std::chrono::steady_clock::now() < next_report) return;
    next_report = std::chrono::steady_clock::now() + kProgressInterval;
    log_info("translated " + std::to_string(sentences) + " of " + std::to_string(pairs.size()));
  };
  const Evaluation evaluation = evaluate_pairs(*loaded.model, *loaded.tokenizer,
                                               loaded.device.device, pairs, evaluation_options);
  warn(evaluation, loaded);
  if (output) write_translations(*output, pairs, evaluation);
  const EvaluationRecord record = evaluation_record(
      evaluation, loaded, {corpus, pairs, is_joined ? options.separator : ""}, evaluation_options);
  if (common.json) {
    print_json(evaluation, record);
  } else {
    print_text(evaluation, record, loaded);
  }
  // What was fetched is a copy, and no run of this machine.
  if (!is_wandb_argument(options.checkpoint)) keep_record(record, loaded);
  return 0;
}

}  // namespace linformer
