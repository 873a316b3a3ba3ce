// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "report/cells.h"
#include "report/sections.h"

namespace linformer {
namespace {

std::string model_cell(const RunInput& run) {
  if (!run.model) return kNone;
  const ModelConfig& model = *run.model;
  std::string out = "vanilla";
  if (model.is_linformer()) {
    out = "Linformer k=" + std::to_string(model.projected_length) + " " +
          std::string(enum_name(model.projection));
    if (model.shortens_encoder_alone()) out += ", full cross-attention";
  }
  return model.compatibility ? out + ", compatibility" : out;
}

std::string size_cell(const RunInput& run) {
  if (!run.model) return kNone;
  const ModelConfig& model = *run.model;
  return std::to_string(model.model_dim) + " / " + std::to_string(model.ffn_dim) + " / " +
         std::to_string(model.num_heads) + " / " + std::to_string(model.num_layers);
}

/// The middle of the logged rates, one that was logged: of two middle ones the lower.
std::optional<double> median_rate(const RunInput& run) {
  std::vector<double> rates;
  for (const TrainingPoint& point : run.steps) rates.push_back(point.tokens_per_second);
  if (rates.empty()) return std::nullopt;
  const auto middle = rates.begin() + (std::ssize(rates) - 1) / 2;
  std::ranges::nth_element(rates, middle);
  return *middle;
}

std::optional<double> peak_megabytes(const RunInput& run) {
  std::int64_t peak = 0;
  for (const TrainingPoint& point : run.steps) peak = std::max(peak, point.memory_bytes);
  return peak > 0 ? std::optional(static_cast<double>(peak) / 1e6) : std::nullopt;
}

std::string best_cell(const RunInput& run) {
  if (!run.best_value || run.best_metric.empty()) return kNone;
  return run.best_metric + " " + fixed(*run.best_value, run.best_metric == "bleu" ? 2 : 4) +
         " at " + cell(run.best_step);
}

Table run_table(const ReportInputs& inputs) {
  Table table{
      "Training. Time is that of training over all resumptions; tokens are real source and "
      "target tokens, never padding, and their rate is the median of the logged ones.",
      {{"run", false},
       {"model", false},
       {"size"},
       {"parameters"},
       {"steps"},
       {"seconds"},
       {"tokens"},
       {"tokens/s"},
       {"peak MB"},
       {"best validation"}},
      {},
      {"Size: model dimension / feed-forward dimension / heads / layers of encoder and of "
       "decoder."}};
  for (const RunInput& run : inputs.runs) {
    table.rows.push_back({run.name, model_cell(run), size_cell(run), cell(run.parameters),
                          cell(run.last_step), cell(run.seconds, 1), cell(run.tokens),
                          cell(median_rate(run), 0), cell(peak_megabytes(run), 1), best_cell(run)});
  }
  return table;
}

/// One line for each run that has points.
template <typename Points>
Plot plot_of(const ReportInputs& inputs, const std::string& y_label, const Points& points_of) {
  Plot plot{"optimizer step", y_label};
  for (const RunInput& run : inputs.runs) {
    PlotLine line{run.name, {}};
    for (const auto& [step, value] : points_of(run)) {
      if (std::isfinite(value)) line.points.push_back({static_cast<double>(step), value});
    }
    if (!line.points.empty()) plot.lines.push_back(std::move(line));
  }
  return plot;
}

using Curve = std::vector<std::pair<std::int64_t, double>>;

Curve training_loss(const RunInput& run) {
  Curve out;
  for (const TrainingPoint& point : run.steps) out.emplace_back(point.step, point.loss);
  return out;
}
Curve validation_loss(const RunInput& run) {
  Curve out;
  for (const ValidationPoint& point : run.validations) out.emplace_back(point.step, point.loss);
  return out;
}
Curve validation_bleu(const RunInput& run) {
  Curve out;
  for (const ValidationPoint& point : run.validations) {
    if (point.bleu) out.emplace_back(point.step, *point.bleu);
  }
  return out;
}

void add_figure(Section& section, const std::string& caption, Plot plot, bool has_markers) {
  if (plot.lines.empty()) return;
  plot.has_markers = has_markers;
  section.blocks.push_back(Figure{caption, std::move(plot)});
}

}  // namespace

Section training_section(const ReportInputs& inputs) {
  Section section{"Training", {}};
  if (inputs.runs.empty()) return section;
  section.blocks.push_back(run_table(inputs));
  add_figure(section, "Training loss over optimizer steps.",
             plot_of(inputs, "loss, nats a target token", training_loss), false);
  add_figure(section, "Validation loss, without label smoothing.",
             plot_of(inputs, "loss, nats a target token", validation_loss), true);
  add_figure(section, "BLEU on the validation set.", plot_of(inputs, "BLEU", validation_bleu),
             true);
  return section;
}

}  // namespace linformer
