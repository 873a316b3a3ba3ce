// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "report/cells.h"
#include "report/csv_lines.h"
#include "report/report_files.h"
#include "report/scaling_fit.h"
#include "report/sections.h"

namespace linformer {
namespace {

constexpr char kNotMeasured[] = "not measured";

/// {n, k} of a cell of the table.
using Place = std::pair<std::int64_t, std::int64_t>;

std::map<Place, std::pair<std::string, std::string>> paper_cells() {
  std::map<Place, std::pair<std::string, std::string>> out;
  for (const std::vector<std::string>& row : csv_lines(kLinformerTable3)) {
    out[{std::stoll(row[0]), std::stoll(row[1])}] = {row[2], row[3]};
  }
  return out;
}

/// Costs of one measurement: times a sequence and bytes a batch.
struct Costs {
  std::vector<CostCurve> times;
  std::vector<CostCurve> memory;
};

/// How many times less one Linformer costs than a baseline.
std::string saved(const std::vector<CostCurve>& curves, const std::string& linformer,
                  const std::string& baseline, std::int64_t length) {
  const std::optional<double> ours = cost_at(find_curve(curves, linformer), length);
  const std::optional<double> theirs = cost_at(find_curve(curves, baseline), length);
  return ours && theirs ? fixed(*theirs / *ours, 2) : kNotMeasured;
}

/// The Linformer of that k that takes the least time at that length, by whatever kernel.
std::string fastest_linformer(const Costs& costs, const Place& place) {
  std::string best;
  std::optional<double> least;
  for (const CostCurve& curve : costs.times) {
    const std::optional<double> cost = cost_at(&curve, place.first);
    if (projected_length_of(curve.attention) != place.second || !cost) continue;
    if (least && *least <= *cost) continue;
    least = cost;
    best = curve.attention;
  }
  return best;
}

std::set<Place> measured_places(const Costs& costs) {
  std::set<Place> out;
  for (const CostCurve& curve : costs.times) {
    const std::int64_t k = projected_length_of(curve.attention);
    if (k == 0) continue;
    for (const CostPoint& point : curve.points) out.insert({point.length, k});
  }
  return out;
}

std::vector<std::string> row_of(const Place& place,
                                const std::map<Place, std::pair<std::string, std::string>>& paper,
                                const Costs& costs) {
  const auto& [n, k] = place;
  const auto cell = paper.find(place);
  const std::string linformer = fastest_linformer(costs, place);
  std::vector<std::string> out{std::to_string(n), std::to_string(k),
                               cell == paper.end() ? kNone : cell->second.first,
                               cell == paper.end() ? kNone : cell->second.second};
  for (const char* baseline : {"vanilla unfused", "vanilla fused"}) {
    out.push_back(saved(costs.times, linformer, baseline, n));
    out.push_back(saved(costs.memory, linformer, baseline, n));
  }
  return out;
}

Table table_of(const ScalingInput* input, bool is_whole) {
  const auto paper = paper_cells();
  const Costs costs =
      input == nullptr ? Costs{} : Costs{time_curves(*input), memory_curves(*input)};
  std::set<Place> places = measured_places(costs);
  if (is_whole) {
    for (const auto& [place, unused] : paper) places.insert(place);
  }
  Table table{
      "Table 3 of the Linformer paper beside " +
          (input == nullptr ? std::string("nothing: no encoder was measured") : input->title) +
          ". Time and memory of vanilla attention over the Linformer's.",
      {{"n"},
       {"k"},
       {"paper: time"},
       {"memory"},
       {"here, against unfused: time"},
       {"memory"},
       {"against fused: time"},
       {"memory"}},
      {},
      {}};
  for (const Place& place : places) table.rows.push_back(row_of(place, paper, costs));
  return table;
}

}  // namespace

Section paper_section(const ReportInputs& inputs) {
  Section section{"Beside the Linformer paper", {}};
  if (inputs.scaling.empty()) return section;
  section.blocks.push_back(Paragraph{
      "The paper compares with attention whose matrix of scores exists in memory (unfused), at the "
      "largest batch that fits. A fused kernel never stores that matrix, so that against it "
      "most of the memory saved, and part of the time, is gone: both baselines are shown. Ours is "
      "the Linformer by the fastest of the measured kernels, at equal batches."});
  bool is_first = true;
  for (const ScalingInput& input : inputs.scaling) {
    if (!input.is_encoder) continue;
    section.blocks.push_back(table_of(&input, is_first));
    is_first = false;
  }
  if (is_first) section.blocks.push_back(table_of(nullptr, true));
  return section;
}

}  // namespace linformer
