// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

/// A file of the test set.
struct EvaluatedFile {
  std::string name;    // without its directory
  std::string sha256;  // of its bytes as they are, hexadecimal
};

/// One translated sentence.
struct EvaluationExample {
  std::int64_t row = 0;  // in the test set, from 0
  std::string source;
  std::string reference;
  std::string candidate;
};

/// What `evaluate` found out about a checkpoint on a test set. Member names are the keys of its
/// JSON. std only.
struct EvaluationRecord {
  std::string test_set;  // the corpus's file name without directory and endings
  std::vector<EvaluatedFile> data;

  double bleu = 0;
  std::optional<std::array<double, 2>> bleu_interval;  // 95 %, by bootstrap over sentences
  std::string signature;
  std::array<double, 4> precisions{};
  double bp = 0;
  std::int64_t hyp_len = 0;
  std::int64_t ref_len = 0;
  double chrf = 0;
  std::string chrf_signature;
  double perplexity = 0;     // may be infinite, null in JSON
  double cross_entropy = 0;  // nats a reference token
  double bits_per_byte = 0;

  std::int64_t sentences = 0;
  std::int64_t sequences = 0;  // the model's inputs; fewer than sentences where these were joined
  std::int64_t misaligned = 0;
  std::int64_t tokens = 0;  // of the references
  std::int64_t generated_tokens = 0;
  double tokens_per_second = 0;  // generated
  std::int64_t stopped_by_limit = 0;
  std::int64_t truncated_sources = 0;
  std::int64_t empty_candidates = 0;
  std::optional<std::int64_t> projected_length;  // a Linformer's k
  std::optional<double> sources_longer_than_k;   // share, 0 to 1

  std::string tokenize;             // of BLEU
  std::int64_t beam = 1;            // 1 = greedy
  std::int64_t max_new_tokens = 0;  // 0 = twice the source and 20 more
  std::string separator;            // between joined sentences; empty = none are joined

  std::string checkpoint;
  std::int64_t step = 0;
  std::string device;
  std::string linformer;  // versions
  std::string libtorch;
  double seconds = 0;
  std::vector<EvaluationExample> examples;
};

/// What marks the JSON object of an evaluation: its member "kind".
inline constexpr std::string_view kEvaluationKind = "linformer-evaluation";

/// One JSON object on one line, without its newline.
std::string evaluation_json(const EvaluationRecord& record);

/// The inverse. `place` (a path) is named in errors. Throws DataError and CheckpointError for a
/// text that is no JSON or lacks what a record must have (test set, BLEU, chrF, step), and for a
/// version above 1.
EvaluationRecord parse_evaluation(std::string_view text, const std::string& place);

/// What tells one evaluation of a checkpoint from another: a digest of test set and decoding, and
/// of how BLEU splits words.
std::string evaluation_digest(const EvaluationRecord& record);

/// Directory of a run that holds its evaluations, a file each.
inline constexpr std::string_view kEvaluationDirectory = "evaluations";

/// Writes RUN/evaluations/NAME.json atomically and returns its path. NAME says test set and step
/// and ends in a digest of data and options: the same evaluation again replaces its record, any
/// other gets a file of its own. Throws IoError.
std::string keep_evaluation(const std::string& run_directory, const EvaluationRecord& record);

}  // namespace linformer
