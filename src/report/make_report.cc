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

/// "Best BLEU on X: S, by SYSTEM" for each test set that has several systems or one.
void summarize_quality(const std::vector<QualityRow>& rows, Bullets& out) {
  std::set<std::string> done;
  for (const QualityRow& row : rows) {
    if (!done.insert(row.test_set).second) continue;
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

/// The Linformer and the vanilla kind that are fused, or unfused where nothing else was measured.
void summarize_scaling(const ScalingInput& input, Bullets& out) {
  const std::vector<CostCurve> curves = time_curves(input);
  for (const CostCurve& curve : curves) {
    if (projected_length_of(curve.attention) == 0) continue;
    const bool is_fused = curve.attention.ends_with(" fused");
    const CostCurve* vanilla = find_curve(curves, is_fused ? "vanilla fused" : "vanilla unfused");
    const std::optional<PowerFit> ours = fit_power(curve.points);
    if (!ours || vanilla == nullptr) continue;
    std::string text = input.title + ": time of " + curve.attention + " grows as n to the power " +
                       fixed(ours->exponent, 2);
    if (const std::optional<PowerFit> theirs = fit_power(vanilla->points)) {
      text += ", of " + vanilla->attention + " " + fixed(theirs->exponent, 2);
    }
    const std::int64_t last = curve.points.back().length;
    if (const std::optional<double> slow = cost_at(vanilla, last)) {
      text += "; at n = " + std::to_string(last) + " it takes " +
              three_digits(curve.points.back().cost) + " ms a sentence against " +
              three_digits(*slow);
    }
    out.items.push_back(text + ".");
  }
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
