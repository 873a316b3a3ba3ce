// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/document.h"
#include "report/inputs.h"

namespace linformer {

// The sections of a report, a file each. Each makes its part of the inputs alone; one that has
// nothing to show is empty. Every number comes from the inputs, rounded, or is computed from them;
// "-" stands for what a file lacks.

/// One row of the quality table: an evaluation, a table of translations, or scores.
struct QualityRow {
  std::string system;
  std::string test_set;  // empty where it is not known
  double bleu = 0;
  double lower = 0;  // 95 % interval; lower > upper where it is not known
  double upper = -1;
  std::optional<double> chrf;
  std::optional<double> perplexity;
  std::optional<double> bits_per_byte;
  std::optional<std::int64_t> sentences;
  std::optional<std::int64_t> projected_length;
  std::optional<double> longer_than_k;
  std::string signature;
  std::optional<double> as_printed;  // what the original's evaluation made of it
};

/// Rows by test set, within one in the order of the inputs. Tables are scored here, with the same
/// bootstrap as `score --bootstrap`.
std::vector<QualityRow> quality_rows(const ReportInputs& inputs);

Section summary_section(const ReportInputs& inputs, const std::vector<QualityRow>& rows);
/// BLEU with interval and signature, chrF, perplexity; means over seeds; differences by paired
/// bootstrap between tables with the same references.
Section quality_section(const ReportInputs& inputs, const std::vector<QualityRow>& rows);
/// Steps, time, tokens/s, parameters, device of every run, and its curves.
Section training_section(const ReportInputs& inputs);
/// Plots and tables of time and memory over lengths, fitted exponents, crossovers.
Section scaling_section(const ReportInputs& inputs);
/// Table 3 of the Linformer paper beside what was measured here.
Section paper_section(const ReportInputs& inputs);
/// Sources with their reference and the translation of every system.
Section examples_section(const ReportInputs& inputs);
/// Devices and versions.
Section setting_section(const ReportInputs& inputs);
Section bibliography_section();

/// The whole report.
Document make_report(const ReportInputs& inputs);

}  // namespace linformer
