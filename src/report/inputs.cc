// SPDX-License-Identifier: Apache-2.0
#include "report/inputs.h"

#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/input_stream.h"
#include "linformer/error.h"
#include "report/run_input.h"
#include "report/scaling_input.h"
#include "report/translation_input.h"
#include "storage/file_tree.h"
#include "storage/json_object.h"

namespace linformer {
namespace {

constexpr char kKinds[] =
    "want a run directory, a directory of a lab, JSON of compare, lab, evaluate or score, a timing "
    "file or a table with the columns candidate and reference";
constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

std::string whole_text(const std::string& path) {
  InputStream stream(path);
  std::string out;
  while (true) {
    const std::size_t before = out.size();
    out.resize(before + kBlock);
    const std::size_t count = stream.read(out.data() + before, kBlock);
    out.resize(before + count);
    if (count == 0) return out;
    if (out.size() > kMostBytes) throw DataError(path + ": is larger than 1 GiB");
  }
}

bool is_score_json(const JsonObject& json) {
  return json.has_object("bleu") && json.object("bleu").has("score");
}

/// One system of `score --json`.
void read_score(const JsonObject& json, ReportInputs& inputs) {
  const JsonObject bleu = json.object("bleu");
  ScoreInput score;
  score.system = std::filesystem::path(json.has("file") ? json.text("file") : json.place())
                     .filename()
                     .string();
  score.bleu = bleu.real("score");
  score.signature = bleu.text_or_empty("signature");
  if (bleu.has("interval")) {
    const std::vector<double> ends = bleu.reals("interval");
    if (ends.size() != 2) throw DataError(json.place() + ": bleu: interval has not two ends");
    score.interval = {ends[0], ends[1]};
  }
  if (json.has_object("chrf")) score.chrf = json.object("chrf").real_if_any("score");
  score.segments = json.integer_if_any("segments");
  inputs.scores.push_back(std::move(score));
  if (json.has_object("second")) read_score(json.object("second"), inputs);
}

void read_json(const std::string& path, ReportInputs& inputs) {
  const MappedFile file(path);
  const JsonObject json = JsonObject::parse(file.bytes(), path);
  if (json.has("kind") && json.text("kind") == kEvaluationKind) {
    EvaluationRecord record = parse_evaluation(file.bytes(), path);
    const std::string run = std::filesystem::path(record.checkpoint).parent_path().filename();
    inputs.evaluations.push_back({run.empty() ? record.checkpoint : run, std::move(record)});
  } else if (is_lab_json(json)) {
    read_lab(json, inputs);
  } else if (is_compare_json(json)) {
    read_compare(json, inputs);
  } else if (is_score_json(json)) {
    read_score(json, inputs);
  } else {
    throw UserError(path + ": is JSON of no known kind (" + kKinds + ")");
  }
}

void read_table(const std::string& path, ReportInputs& inputs) {
  const std::string text = whole_text(path);
  if (is_timing_text(text)) {
    read_timing_file(path, text, inputs);
  } else if (is_translation_text(text)) {
    read_translations(path, text, inputs);
  } else {
    throw UserError(path + ": is a CSV of no known kind (" + kKinds + ")");
  }
}

bool read_lab_directory(const std::string& path, ReportInputs& inputs) {
  bool is_any = false;
  for (const std::string& name : list_directory(path)) {
    if (!name.ends_with(".json")) continue;
    read_json(path + "/" + name, inputs);
    is_any = true;
  }
  return is_any;
}

void read_input(const std::string& path, ReportInputs& inputs) {
  if (!path_exists(path)) throw UserError(path + ": does not exist");
  if (is_run_directory(path)) {
    read_run(path, inputs);
  } else if (is_directory(path)) {
    if (!read_lab_directory(path, inputs))
      throw UserError(path + ": is a directory without a run or JSON files (" + kKinds + ")");
  } else if (path.ends_with(".json")) {
    read_json(path, inputs);
  } else if (path.ends_with(".csv") || path.ends_with(".csv.gz")) {
    read_table(path, inputs);
  } else {
    throw UserError(path + ": is of no known kind (" + kKinds + ")");
  }
}

}  // namespace

ReportInputs read_report_inputs(const std::vector<std::string>& paths) {
  ReportInputs inputs;
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    std::error_code error;
    const std::string whole = std::filesystem::weakly_canonical(path, error).string();
    if (!seen.insert(error ? path : whole).second) throw UsageError(path + " is given twice");
    read_input(path, inputs);
  }
  name_test_sets(inputs);
  return inputs;
}

}  // namespace linformer
