// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "report/cells.h"
#include "report/scaling_fit.h"
#include "report/sections.h"

namespace linformer {
namespace {

constexpr double kMega = 1e6;

Plot plot_of(const std::vector<CostCurve>& curves, const std::string& y_label, double unit) {
  Plot plot{"sentence length n, tokens", y_label, /*is_log=*/true};
  plot.has_markers = true;
  for (const CostCurve& curve : curves) {
    PlotLine line{curve.attention, {}};
    for (const CostPoint& point : curve.points) {
      line.points.push_back({static_cast<double>(point.length), point.cost / unit, point.low / unit,
                             point.high / unit});
      plot.has_spread = plot.has_spread || point.low < point.high;
    }
    plot.lines.push_back(std::move(line));
  }
  return plot;
}

std::vector<std::string> kinds_of(const ScalingInput& input) {
  std::vector<std::string> out;
  for (const ScalingRow& row : input.rows) {
    if (std::ranges::find(out, row.attention) == out.end()) out.push_back(row.attention);
  }
  return out;
}

/// Why a row has no cost.
std::string status_of(const ScalingInput& input, const std::string& kind, std::int64_t length) {
  for (const ScalingRow& row : input.rows) {
    if (row.attention != kind || row.length != length || row.status == "ok") continue;
    std::string out = row.status;
    std::ranges::replace(out, '_', ' ');
    return out;
  }
  return kNone;
}

/// Costs of every kind (rows) at every length (columns).
Table cost_table(const ScalingInput& input, const std::vector<CostCurve>& curves,
                 const std::string& caption, double unit) {
  std::set<std::int64_t> lengths;
  for (const ScalingRow& row : input.rows) lengths.insert(row.length);
  Table table{caption, {{"attention", false}}, {}, {}};
  for (const std::int64_t length : lengths)
    table.columns.push_back({"n=" + std::to_string(length)});
  for (const std::string& kind : kinds_of(input)) {
    std::vector<std::string> cells{kind};
    for (const std::int64_t length : lengths) {
      const std::optional<double> cost = cost_at(find_curve(curves, kind), length);
      cells.push_back(cost ? three_digits(*cost / unit) : status_of(input, kind, length));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string exponent_cell(const CostCurve* curve) {
  const std::optional<PowerFit> fit = curve == nullptr ? std::nullopt : fit_power(curve->points);
  return fit ? fixed(fit->exponent, 2) : kNone;
}

std::string points_cell(const CostCurve& curve) {
  const std::optional<PowerFit> fit = fit_power(curve.points);
  if (!fit) return kNone;
  std::string out;
  for (const CostPoint& point : curve.points) {
    if (point.length >= fit->first_length)
      out += (out.empty() ? "" : ", ") + std::to_string(point.length);
  }
  return out;
}

std::string crossover_cell(const std::vector<CostCurve>& curves, const CostCurve& curve,
                           const char* baseline) {
  const CostCurve* slow = find_curve(curves, baseline);
  if (slow == nullptr || projected_length_of(curve.attention) == 0) return kNone;
  const Crossover crossover = find_crossover(curve, *slow);
  switch (crossover.kind) {
    case Crossover::Kind::kAlways:
      return "under " + fixed(crossover.length, 0);
    case Crossover::Kind::kNever:
      return "over " + fixed(crossover.length, 0);
    case Crossover::Kind::kAt:
      return fixed(crossover.length, 0);
    case Crossover::Kind::kUnknown:
      break;
  }
  return kNone;
}

Table fit_table(const std::vector<CostCurve>& times, const std::vector<CostCurve>& memory) {
  Table table{
      "Growth with the length n, and the length from which a Linformer takes less time than "
      "vanilla attention.",
      {{"attention", false},
       {"time exponent"},
       {"memory exponent"},
       {"fitted over n =", false},
       {"faster than vanilla unfused from"},
       {"than vanilla fused from"}},
      {},
      {"Exponents are slopes of least squares on the logarithms over the longer half of the "
       "lengths, where costs that do not grow with n no longer hide those that do. Time is "
       "that of a sentence, memory that of the whole batch. A crossover between two "
       "measured lengths is interpolated on the logarithms; under and over name the end of "
       "what was measured."}};
  for (const CostCurve& curve : times) {
    table.rows.push_back({curve.attention, exponent_cell(&curve),
                          exponent_cell(find_curve(memory, curve.attention)), points_cell(curve),
                          crossover_cell(times, curve, "vanilla unfused"),
                          crossover_cell(times, curve, "vanilla fused")});
  }
  return table;
}

void add_study(const ScalingInput& input, Section& section) {
  const std::vector<CostCurve> times = time_curves(input);
  const std::vector<CostCurve> memory = memory_curves(input);
  std::string text = input.title + (input.measured.empty() ? "" : ": " + input.measured);
  if (!input.device.empty()) text += "; " + input.device;
  text += ".";
  for (const std::string& note : input.notes) text += " " + note;
  section.blocks.push_back(Paragraph{text});
  if (!times.empty()) {
    section.blocks.push_back(Figure{
        input.title + ": time of a sentence over its length" +
            ", the batch's median divided by its sentences (bars: from the first to the last "
            "decile, where known).",
        plot_of(times, "ms a sentence", 1.0)});
  }
  section.blocks.push_back(
      cost_table(input, times, input.title + ": milliseconds a sentence.", 1.0));
  if (!memory.empty()) {
    section.blocks.push_back(Figure{input.title + ": peak memory of the batch, weights included.",
                                    plot_of(memory, "MB", kMega)});
    section.blocks.push_back(cost_table(input, memory, input.title + ": peak MB.", kMega));
  }
  if (!times.empty()) section.blocks.push_back(fit_table(times, memory));
}

}  // namespace

Section scaling_section(const ReportInputs& inputs) {
  Section section{"Time and memory over the length", {}};
  for (const ScalingInput& input : inputs.scaling) add_study(input, section);
  return section;
}

}  // namespace linformer
