// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "report/document.h"
#include "report/inputs.h"

namespace linformer {

// What tests of a report's sections share.

/// The tables of a section, in order.
inline std::vector<Table> tables_of(const Section& section) {
  std::vector<Table> out;
  for (const Block& block : section.blocks) {
    if (const auto* table = std::get_if<Table>(&block)) out.push_back(*table);
  }
  return out;
}

/// The figures of a section, in order.
inline std::vector<Figure> figures_of(const Section& section) {
  std::vector<Figure> out;
  for (const Block& block : section.blocks) {
    if (const auto* figure = std::get_if<Figure>(&block)) out.push_back(*figure);
  }
  return out;
}

/// Runs of one recipe, with seeds 1, 2, ..., and an evaluation of each with these scores.
inline ReportInputs seeded_runs(const std::vector<double>& bleu) {
  ReportInputs inputs;
  for (const double score : bleu) {
    RunInput run;
    run.seed = inputs.runs.size() + 1;
    run.name = "s" + std::to_string(*run.seed);
    run.recipe = "recipe";
    EvaluationInput evaluation{run.name, {}, inputs.runs.size()};
    evaluation.record.test_set = "news";
    evaluation.record.bleu = score;
    evaluation.record.chrf = 2 * score;
    evaluation.record.perplexity = score / 4;
    evaluation.record.bits_per_byte = score / 8;
    evaluation.record.signature = "nrefs:1";
    evaluation.record.step = 100;
    inputs.runs.push_back(std::move(run));
    inputs.evaluations.push_back(std::move(evaluation));
  }
  return inputs;
}

/// A measured row: `ms` of a batch.
inline ScalingRow timed_row(const std::string& attention, std::int64_t length, std::int64_t batch,
                            double ms, std::optional<double> bytes = std::nullopt) {
  ScalingRow row{attention, length, batch};
  row.median_ms = ms;
  row.peak_bytes = bytes;
  return row;
}

/// Vanilla attention that costs n^2 and a Linformer that costs n, equal at n = 512; bytes likewise.
inline ScalingInput example_scaling() {
  ScalingInput input;
  input.title = "example";
  input.measured = "a pass";
  input.device = "cpu";
  input.is_encoder = true;
  for (const std::int64_t n : {256, 512, 1024, 2048}) {
    const std::int64_t batch = 2048 / n;
    const auto x = static_cast<double>(n) / 512.0;
    const auto b = static_cast<double>(batch);
    input.rows.push_back(timed_row("vanilla unfused", n, batch, b * 4.0 * x * x, 8e6 * x * x));
    input.rows.push_back(timed_row("linformer k=128 unfused", n, batch, b * 4.0 * x, 8e6 * x));
  }
  return input;
}

}  // namespace linformer
