// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "linformer/version.h"
#include "report/cells.h"
#include "report/report_files.h"
#include "report/scaling_fit.h"
#include "report/sections.h"

namespace linformer {
namespace {

/// "Best BLEU on X: S, by SYSTEM" for each test set that has a name.
void summarize_quality(const std::vector<QualityRow>& rows, Bullets& out) {
  std::set<std::string> done;
  for (const QualityRow& row : rows) {
    if (row.test_set.empty() || !done.insert(row.test_set).second) continue;
    const QualityRow* best = &row;
    for (const QualityRow& other : rows) {
      if (other.test_set == row.test_set && other.bleu > best->bleu) best = &other;
    }
    std::string text = "Best BLEU on " + row.test_set + ": " + fixed(best->bleu, 2);
    if (best->lower <= best->upper) {
      text += " (95 % interval " + fixed(best->lower, 2) + " to " + fixed(best->upper, 2) + ")";
    }
    out.items.push_back(text + ", " + best->system + ".");
  }
}

/// The Linformer that takes the least time at its greatest length, if any.
const CostCurve* fastest_linformer(const std::vector<CostCurve>& curves) {
  const CostCurve* best = nullptr;
  for (const CostCurve& curve : curves) {
    if (projected_length_of(curve.attention) == 0) continue;
    const bool is_better = best == nullptr ||
                           curve.points.back().length > best->points.back().length ||
                           (curve.points.back().length == best->points.back().length &&
                            curve.points.back().cost < best->points.back().cost);
    if (is_better) best = &curve;
  }
  return best;
}

/// The fastest Linformer beside both kinds of vanilla attention.
void summarize_scaling(const ScalingInput& input, Bullets& out) {
  const std::vector<CostCurve> curves = time_curves(input);
  const CostCurve* ours = fastest_linformer(curves);
  const std::optional<PowerFit> fit = ours ? fit_power(ours->points) : std::nullopt;
  if (!fit) return;
  const CostPoint& last = ours->points.back();
  std::string text = input.title + ": at n = " + std::to_string(last.length) + " " +
                     ours->attention + " takes " + three_digits(last.cost) +
                     " ms a sequence, growing as n to the power " + fixed(fit->exponent, 2);
  for (const char* baseline : {"vanilla unfused", "vanilla fused"}) {
    const CostCurve* vanilla = find_curve(curves, baseline);
    const std::optional<PowerFit> theirs = vanilla ? fit_power(vanilla->points) : std::nullopt;
    if (!theirs) continue;
    const std::optional<double> cost = cost_at(vanilla, last.length);
    text += std::string("; ") + baseline + " " +
            (cost ? three_digits(*cost) + " ms" : "not measured there") + ", to the power " +
            fixed(theirs->exponent, 2);
  }
  out.items.push_back(text + ".");
}

}  // namespace

Section summary_section(const ReportInputs& inputs, const std::vector<QualityRow>& rows) {
  Bullets bullets;
  summarize_quality(rows, bullets);
  for (const ScalingInput& input : inputs.scaling) summarize_scaling(input, bullets);
  Section section{"Summary", {}};
  section.blocks.push_back(Paragraph{
      "Every number below was read from the files this report was made of, or is computed from "
      "them; - stands for what they lack."});
  if (!bullets.items.empty()) section.blocks.push_back(std::move(bullets));
  return section;
}

Section bibliography_section() {
  Section section{"References", {}};
  Bullets works;
  std::string_view rest = kReferences;
  while (!rest.empty()) {
    const std::size_t newline = std::min(rest.find('\n'), rest.size());
    if (newline > 0) works.items.emplace_back(rest.substr(0, newline));
    rest.remove_prefix(std::min(newline + 1, rest.size()));
  }
  section.blocks.push_back(std::move(works));
  return section;
}

Document make_report(const ReportInputs& inputs) {
  const std::vector<QualityRow> rows = quality_rows(inputs);
  Document out{
      "Linformer and vanilla attention: results", "made by linformer " + std::string(kVersion), {}};
  for (Section& section : std::vector<Section>{
           summary_section(inputs, rows), quality_section(inputs, rows), training_section(inputs),
           scaling_section(inputs), paper_section(inputs), examples_section(inputs),
           setting_section(inputs), bibliography_section()}) {
    if (!section.blocks.empty()) out.sections.push_back(std::move(section));
  }
  return out;
}

}  // namespace linformer
