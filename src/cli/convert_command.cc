// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "cli/model_file.h"
#include "cli/verbs.h"
#include "config/printer.h"
#include "config/yaml_reader.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/json_state.h"
#include "storage/new_run.h"
#include "storage/original_checkpoint.h"
#include "text/tokenizer.h"

namespace linformer {
namespace {

/// A model and what its views point into.
struct Source {
  std::optional<ModelFile> file;
  std::optional<SafetensorsFile> weights;
  std::optional<SafetensorsFile> moments;
  TrainedModel model;
  std::string config_path;  // of a run
};

/// What the run trained with; the original's where the source is no run.
AdamSettings adam_of(const Source& source) {
  if (source.config_path.empty()) return {};
  const TrainingConfig training = load_saved_config(source.config_path).config.training;
  return {training.learning_rate, training.beta1, training.beta2, training.epsilon,
          training.weight_decay};
}

void read_generation(const std::string& path, Source& out) {
  const Generation generation =
      resolve_checkpoint(path, [](const std::string& reason) { log_warning(reason); });
  const Manifest manifest = read_manifest(generation.path);
  throw_if_interrupted();
  out.weights = load_weights(generation);
  out.model.weights = out.weights->tensors();
  throw_if_interrupted();
  if (manifest.files.contains(std::string(kOptimizerFile))) {
    out.moments = load_tensors(generation, kOptimizerFile);
    out.model.moments = out.moments->tensors();
    // Those of an average's training; the average is what a file of weights is for.
    std::erase_if(out.model.moments,
                  [](const TensorView& tensor) { return tensor.name.starts_with(kTrainedPrefix); });
  }
  out.model.steps = generation.step;
  if (manifest.files.contains(std::string(kStateFile))) {
    const JsonState state =
        JsonState::parse(read_generation_file(generation, kStateFile), generation.path);
    if (state.has("optimizer_steps")) out.model.steps = state.get_int("optimizer_steps");
    if (state.has("epoch")) out.model.epoch = state.get_int("epoch");
  }
  out.config_path = generation.path + "/" + std::string(kConfigFile);
}

void read_source(const std::string& path, Source& out) {
  if (model_kind(path) == ModelKind::kRun) {
    read_generation(path, out);
  } else {
    out.model = out.file.emplace(path).model;
  }
}

/// A state that no run goes on from: whose data were used is not in the file.
std::string state_text(const TrainedModel& model, const Tokenizer& tokenizer,
                       const std::string& origin) {
  JsonState state;
  state.set_int("step", model.steps);
  state.set_int("optimizer_steps", model.steps);
  state.set_int("epoch", model.epoch);
  state.set_text("tokenizer_digest", tokenizer.digest());
  state.set_text("data_digest", "unknown, converted from " + origin + "; --init starts from it");
  return state.text();
}

std::uint64_t write_run(const ConvertOptions& options, const TrainedModel& model) {
  check_model_options(options.input, options.model_file);
  const auto [config, tokenizer] = model_setting(model, options.input, options.model_file);
  return write_new_run(options.output, {.step = model.steps,
                                        .weights = model.weights,
                                        .metadata = {},
                                        .moments = model.moments,
                                        .state_json = state_text(model, tokenizer, options.input),
                                        .config_yaml = print_config(config),
                                        .tokenizer_json = tokenizer.to_json()})
      .bytes;
}

std::uint64_t write_weights(const std::string& path, const std::vector<TensorView>& weights) {
  require_free_space(path, total_bytes(weights));
  AtomicFile file(path);
  const auto write = [&](std::string_view piece) {
    throw_if_interrupted();
    file.write(piece);
  };
  write_safetensors(write, weights);
  file.commit();
  return file.size();
}

void check_options(const ConvertOptions& options, ModelKind from, ModelKind to) {
  const bool makes_run = to == ModelKind::kRun;
  if (from == ModelKind::kRun && makes_run) {
    throw UsageError("convert got two directories (want OUT to end in .pt or .safetensors)");
  }
  if (!makes_run && !(options.model_file.tokenizer.empty() && options.model_file.config.empty())) {
    throw UsageError("--tokenizer and --config are for run directories (got " + options.output +
                     ")");
  }
  if (!path_exists(options.input)) throw UserError(options.input + ": does not exist");
  if (path_exists(options.output)) {
    throw UserError(options.output + ": exists already (want a new name)");
  }
}

}  // namespace

int run_convert(const ConvertOptions& options, const CommonOptions& common) {
  const ModelKind to = model_kind(options.output);
  check_options(options, model_kind(options.input), to);
  Source source;
  read_source(options.input, source);
  throw_if_interrupted();
  TrainedModel& model = source.model;
  std::uint64_t bytes = 0;
  switch (to) {
    case ModelKind::kTorch:
      bytes = write_original_checkpoint(options.output, model, adam_of(source));
      break;
    case ModelKind::kSafetensors:
      model.moments.clear();
      bytes = write_weights(options.output, model.weights);
      break;
    case ModelKind::kRun:
      bytes = write_run(options, model);
      break;
  }
  const std::size_t tensors = model.weights.size() + model.moments.size();
  if (common.json) {
    write_stdout(nlohmann::ordered_json{{"tensors", tensors}, {"bytes", bytes}}.dump() + "\n");
  } else {
    write_stdout(options.output + ": " + std::to_string(tensors) + " tensors, " +
                 std::to_string(bytes) + " bytes\n");
  }
  return 0;
}

}  // namespace linformer
