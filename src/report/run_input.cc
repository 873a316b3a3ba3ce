// SPDX-License-Identifier: Apache-2.0
#include "report/run_input.h"

#include <filesystem>

#include "base/file.h"
#include "config/printer.h"
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

/// Where files lie may differ between runs of one recipe; digests say what was in them.
std::string recipe_of(RunConfig config) {
  config.seed = 0;
  DataConfig& data = config.data;
  for (std::string* path : {&data.train, &data.train_source, &data.train_target, &data.validation,
                            &data.validation_source, &data.validation_target, &data.tokenizer}) {
    path->clear();
  }
  return print_config(config);
}

void read_config(const std::string& path, RunInput& run) {
  if (!path_exists(path)) return;
  const RunConfig config = load_saved_config(path).config;
  run.model = config.model;
  run.seed = config.seed;
  run.recipe = recipe_of(config);
}

void read_environment(const std::string& path, RunInput& run) {
  if (!path_exists(path)) return;
  const MappedFile file(path);
  const JsonObject json = JsonObject::parse(file.bytes(), path);
  run.environment = json.text_or_empty("environment");
  run.version = json.text_or_empty("version");
  run.parameters = json.integer_if_any("parameters");
  for (const char* name : {"tokenizer_digest", "data_digest"})
    run.recipe += json.text_or_empty(name) + "\n";
}

/// Those of the run that is added next.
void read_evaluations(const std::string& checkpoints, const std::string& system, bool is_averaged,
                      ReportInputs& inputs) {
  const std::string directory = checkpoints + "/" + std::string(kEvaluationDirectory);
  if (!is_directory(directory)) return;
  for (const std::string& name : list_directory(directory)) {
    if (!name.ends_with(".json")) continue;
    const std::string path = directory + "/" + name;
    inputs.evaluations.push_back({system, parse_evaluation(MappedFile(path).bytes(), path),
                                  inputs.runs.size(), is_averaged});
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
  read_config(path + "/" + std::string(kConfigFile), run);
  read_environment(path + "/env.json", run);
  read_metrics(path + "/metrics.jsonl", run);
  read_evaluations(path, run.name, /*is_averaged=*/false, inputs);
  read_evaluations(path + "/averaged", run.name + ", averaged", /*is_averaged=*/true, inputs);
  inputs.runs.push_back(std::move(run));
}

}  // namespace linformer
