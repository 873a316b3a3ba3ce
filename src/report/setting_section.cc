// SPDX-License-Identifier: Apache-2.0
#include "report/cells.h"
#include "report/sections.h"

namespace linformer {
namespace {

std::string versions_of(const EvaluationRecord& record) {
  std::string out;
  if (!record.linformer.empty()) out += "linformer " + record.linformer;
  if (!record.libtorch.empty()) out += (out.empty() ? "" : ", ") + ("libtorch " + record.libtorch);
  return out;
}

std::string files_of(const EvaluationRecord& record) {
  std::string out;
  for (const EvaluatedFile& file : record.data) {
    out += (out.empty() ? "" : ", ") + file.name + " (SHA-256 " + file.sha256.substr(0, 12) + ")";
  }
  return out;
}

std::string decoding_of(const EvaluationRecord& record) {
  std::string out = record.beam == 1 ? "greedy" : "beam " + std::to_string(record.beam);
  if (record.max_new_tokens > 0)
    out += ", at most " + std::to_string(record.max_new_tokens) + " tokens";
  if (!record.separator.empty()) out += ", sentences joined by " + record.separator;
  return out;
}

}  // namespace

Section setting_section(const ReportInputs& inputs) {
  Section section{"Hardware, versions, data", {}};
  Table machines{"What the figures were measured on.",
                 {{"of", false}, {"device", false}, {"versions", false}},
                 {},
                 {}};
  for (const RunInput& run : inputs.runs) {
    machines.rows.push_back({"training of " + run.name, cell(run.environment),
                             run.version.empty() ? kNone : "linformer " + run.version});
  }
  Table data{"What was evaluated.",
             {{"system", false},
              {"test set", false},
              {"checkpoint's step"},
              {"decoding", false},
              {"seconds"},
              {"files", false}},
             {},
             {}};
  for (const EvaluationInput& evaluation : inputs.evaluations) {
    const EvaluationRecord& record = evaluation.record;
    machines.rows.push_back({"evaluation of " + evaluation.system + " on " + record.test_set,
                             cell(record.device), cell(versions_of(record))});
    data.rows.push_back({evaluation.system, record.test_set, std::to_string(record.step),
                         decoding_of(record), cell(record.seconds, 1), cell(files_of(record))});
  }
  for (const ScalingInput& input : inputs.scaling) {
    machines.rows.push_back({input.title, cell(input.device), cell(input.versions)});
  }
  if (!machines.rows.empty()) section.blocks.push_back(std::move(machines));
  if (!data.rows.empty()) section.blocks.push_back(std::move(data));
  return section;
}

}  // namespace linformer
