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
  Plot plot{"sequence length n, tokens", y_label, /*is_log=*/true};
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
  for (const std::string& kind : attention_kinds(input)) {
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

Table fit_table(const ScalingInput& input, const std::vector<CostCurve>& times,
                const std::vector<CostCurve>& memory) {
  Table table{input.title +
                  ": growth with the length n, as n to a power, and the n from which a Linformer "
                  "takes less "
                  "time than vanilla attention.",
              {{"attention", false},
               {"power, time"},
               {"power, memory"},
               {"fitted over n =", false},
               {"beats unfused from"},
               {"beats fused from"}},
              {},
              {"Powers are slopes of least squares on the logarithms over the longer half of the "
               "lengths, where costs that do not grow with n no longer hide those that do. Time is "
               "that of a sequence, memory that of the whole batch. A crossover between two "
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

std::string description_of(const ScalingInput& input) {
  std::string out = "Measured: " + cell(input.measured);
  if (!input.device.empty()) out += "; " + input.device;
  out += ".";
  for (const std::string& note : input.notes) out += " " + note;
  return out;
}

void add_study(const ScalingInput& input, Section& section) {
  const std::vector<CostCurve> times = time_curves(input);
  const std::vector<CostCurve> memory = memory_curves(input);
  section.blocks.push_back(Heading{input.title});
  section.blocks.push_back(Paragraph{description_of(input)});
  if (!times.empty()) {
    Plot plot = plot_of(times, "ms a sequence", 1.0);
    std::string caption =
        input.title + ": time of a sequence, the batch's median divided by its sequences";
    if (plot.has_spread) caption += " (bars: from the first to the last decile)";
    section.blocks.push_back(Figure{caption + ".", std::move(plot)});
  }
  section.blocks.push_back(
      cost_table(input, times, input.title + ": milliseconds a sequence.", 1.0));
  if (!memory.empty()) {
    section.blocks.push_back(Figure{input.title + ": peak memory of the batch, weights included.",
                                    plot_of(memory, "MB", kMega)});
    section.blocks.push_back(cost_table(input, memory, input.title + ": peak MB.", kMega));
  }
  if (!times.empty()) section.blocks.push_back(fit_table(input, times, memory));
}

}  // namespace

Section scaling_section(const ReportInputs& inputs) {
  Section section{"Time and memory over the length", {}};
  for (const ScalingInput& input : inputs.scaling) add_study(input, section);
  return section;
}

}  // namespace linformer
