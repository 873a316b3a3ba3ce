// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model_config.h"
#include "scoring/bleu.h"
#include "tracking/evaluation_record.h"

namespace linformer {

// What a report is made of, as it stands in the files. Missing values are empty optionals.

struct TrainingPoint {
  std::int64_t step = 0;
  double loss = 0;
  double tokens_per_second = 0;
  std::int64_t memory_bytes = 0;
};
struct ValidationPoint {
  std::int64_t step = 0;
  double loss = 0;
  std::optional<double> bleu;
};

/// A run directory.
struct RunInput {
  std::string name;  // of the directory; "NAME, averaged" for what stands in its averaged/
  std::optional<ModelConfig> model;
  std::optional<std::uint64_t> seed;  // there with the configuration
  std::string recipe;  // the same text for runs that differ in nothing but the seed and in names
  std::string environment;  // device and libraries of the training
  std::string version;      // of linformer
  std::optional<std::int64_t> parameters;
  std::vector<TrainingPoint> steps;
  std::vector<ValidationPoint> validations;
  std::optional<std::int64_t> last_step;
  std::optional<std::int64_t> tokens;  // source and target
  std::optional<double> seconds;
  std::string best_metric;
  std::optional<double> best_value;
  std::optional<std::int64_t> best_step;
};

/// One evaluation, and whose.
struct EvaluationInput {
  std::string system;
  EvaluationRecord record;
  std::optional<std::size_t> run;  // where it was kept, an index of ReportInputs::runs
  bool is_averaged = false;        // of that run's averaged weights
};

/// A table of input, candidate and reference.
struct TranslationInput {
  std::string system;
  std::string test_set;  // the same for tables with the same references
  bool is_original = false;
  std::vector<std::string> sources;  // empty where the table has none
  std::vector<std::string> candidates;
  std::vector<std::string> references;
  BleuTokenize tokenize = BleuTokenize::k13a;  // as in the evaluation of the same sentences
  bool is_evaluated = false;                   // what an evaluation among the inputs has translated
};

/// Scores as `score --json` prints them.
struct ScoreInput {
  std::string system;
  double bleu = 0;
  std::optional<std::array<double, 2>> interval;
  std::string signature;
  std::optional<double> chrf;
  std::optional<std::int64_t> segments;
};

/// One kind of attention at one length.
struct ScalingRow {
  std::string attention;  // "vanilla unfused", "linformer k=32 fused"
  std::int64_t length = 0;
  std::int64_t batch = 1;
  std::string status = "ok";
  std::optional<double> median_ms;  // of the whole batch
  std::optional<double> p10_ms;
  std::optional<double> p90_ms;
  std::optional<double> peak_bytes;
};

/// What was measured together: one `compare`, one study of a lab, or timing files of one kind.
struct ScalingInput {
  std::string title;
  std::string measured;  // what a time is the time of
  std::string device;
  std::string versions;
  bool is_encoder = false;  // the encoder alone, as in the Linformer paper
  std::vector<std::string> notes;
  std::vector<ScalingRow> rows;
};

struct ReportInputs {
  std::vector<RunInput> runs;
  std::vector<EvaluationInput> evaluations;
  std::vector<TranslationInput> translations;
  std::vector<ScoreInput> scores;
  std::vector<ScalingInput> scaling;
};

/// Reads what `report` is given: run directories, directories of a lab, JSON of compare, lab,
/// evaluate and score, timing files and tables of translations. Throws UserError naming the file
/// for one that is of no known kind or broken, and UsageError for the same path given twice.
ReportInputs read_report_inputs(const std::vector<std::string>& paths);

}  // namespace linformer
