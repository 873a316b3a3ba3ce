// SPDX-License-Identifier: Apache-2.0
#include "report/run_input.h"

#include <filesystem>

#include "base/file.h"
#include "config/yaml_reader.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/json_object.h"

namespace linformer {
namespace {

std::string name_of(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::canonical(path, error);
  return (error ? std::filesystem::path(path) : whole).filename().string();
}

void add_record(const JsonObject& record, RunInput& run) {
  const std::string& type = record.text("type");
  if (type == "step") {
    run.steps.push_back({record.integer("step"), record.real("loss"),
                         record.real("tokens_per_second"),
                         record.integer_if_any("memory_bytes").value_or(0)});
    run.last_step = record.integer("step");
    run.tokens = record.integer("source_tokens") + record.integer("target_tokens");
    run.seconds = record.real("elapsed_seconds");
  } else if (type == "validation") {
    run.validations.push_back(
        {record.integer("step"), record.real("loss"), record.real_if_any("bleu")});
  } else if (type == "final") {
    run.last_step = record.integer("step");
    run.tokens = record.integer("source_tokens") + record.integer("target_tokens");
    run.seconds = record.real("seconds");
    run.best_metric = record.text_or_empty("metric");
    run.best_value = record.real_if_any("best_value");
    run.best_step = record.integer_if_any("best_step");
  }
}

void read_metrics(const std::string& path, RunInput& run) {
  if (!path_exists(path)) return;
  const MappedFile file(path);
  std::string_view rest = file.bytes();
  std::int64_t line = 0;
  for (std::size_t newline; (newline = rest.find('\n')) != std::string_view::npos;) {
    const std::string place = path + ":" + std::to_string(++line);
    add_record(JsonObject::parse(rest.substr(0, newline), place), run);
    rest.remove_prefix(newline + 1);
  }
}

void read_environment(const std::string& path, RunInput& run) {
  if (!path_exists(path)) return;
  const MappedFile file(path);
  const JsonObject json = JsonObject::parse(file.bytes(), path);
  run.environment = json.text_or_empty("environment");
  run.version = json.text_or_empty("version");
  run.parameters = json.integer_if_any("parameters");
}

void read_evaluations(const std::string& run, const std::string& system, ReportInputs& inputs) {
  const std::string directory = run + "/" + std::string(kEvaluationDirectory);
  if (!is_directory(directory)) return;
  for (const std::string& name : list_directory(directory)) {
    if (!name.ends_with(".json")) continue;
    const std::string path = directory + "/" + name;
    inputs.evaluations.push_back({system, parse_evaluation(MappedFile(path).bytes(), path)});
  }
}

}  // namespace

bool is_run_directory(const std::string& path) {
  if (!is_directory(path)) return false;
  for (const char* name : {"metrics.jsonl", "lock", "env.json"}) {
    if (path_exists(path + "/" + name)) return true;
  }
  return !list_generations(path).empty();
}

void read_run(const std::string& path, ReportInputs& inputs) {
  RunInput run;
  run.name = name_of(path);
  const std::string config = path + "/" + std::string(kConfigFile);
  if (path_exists(config)) run.model = load_saved_config(config).config.model;
  read_environment(path + "/env.json", run);
  read_metrics(path + "/metrics.jsonl", run);
  read_evaluations(path, run.name, inputs);
  read_evaluations(path + "/averaged", run.name + ", averaged", inputs);
  inputs.runs.push_back(std::move(run));
}

}  // namespace linformer
