// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/log.h"
#include "cli/model_of_tensors.h"
#include "cli/verbs.h"
#include "config/printer.h"
#include "config/yaml_reader.h"
#include "linformer/error.h"
#include "storage/checkpoint_directory.h"
#include "storage/file_tree.h"
#include "storage/json_state.h"
#include "storage/original_checkpoint.h"
#include "storage/run_directory.h"
#include "text/tokenizer.h"

namespace linformer {
namespace {

enum class Kind { kTorch, kSafetensors, kRun };

Kind kind_of(const std::string& path) {
  if (path.ends_with(".pt")) return Kind::kTorch;
  return path.ends_with(".safetensors") ? Kind::kSafetensors : Kind::kRun;
}

/// A model and what its views point into.
struct Source {
  std::optional<TorchFile> torch;
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
  out.weights = load_weights(generation);
  out.model.weights = out.weights->tensors();
  if (manifest.files.contains(std::string(kOptimizerFile))) {
    out.moments = load_tensors(generation, kOptimizerFile);
    out.model.moments = out.moments->tensors();
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
  switch (kind_of(path)) {
    case Kind::kTorch:
      out.torch.emplace(path);
      out.model = read_original_checkpoint(*out.torch);
      check_finite(out.model.weights, path);
      check_finite(out.model.moments, path);
      break;
    case Kind::kSafetensors:
      out.weights.emplace(path);
      check_finite(*out.weights);
      out.model.weights = out.weights->tensors();
      break;
    case Kind::kRun:
      read_generation(path, out);
      break;
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
  if (options.tokenizer.empty()) {
    throw UsageError("--tokenizer is missing (want the DIR that " + options.input +
                     " was trained with; a run directory holds it)");
  }
  const Tokenizer tokenizer = Tokenizer::load(options.tokenizer);
  const RunConfig config = model_of_tensors(model.weights, options.input, options.config);
  if (tokenizer.vocab_size() > config.model.vocab_size) {
    throw UserError(options.tokenizer + ": the tokenizer has more tokens than the model (got " +
                    std::to_string(tokenizer.vocab_size()) + ", want at most " +
                    std::to_string(config.model.vocab_size) + ")");
  }
  if (options.config.empty()) {
    log_warning(options.input + " does not say its number of heads: taken as " +
                std::to_string(config.model.num_heads) +
                ", the original's; --config FILE says another");
  }
  const std::string yaml = print_config(config);
  const RunDirectory run = RunDirectory::create(options.output, /*overwrite=*/false);
  try {
    CheckpointTransaction save(run.path(), model.steps);
    save.add(std::string(kWeightsFile), model.weights);
    if (!model.moments.empty()) save.add(std::string(kOptimizerFile), model.moments);
    save.add_text(std::string(kStateFile), state_text(model, tokenizer, options.input));
    save.add_text(std::string(kConfigFile), yaml);
    save.add_text(std::string(kTokenizerFile), tokenizer.to_json());
    run.write_text(kConfigFile, yaml);
    return save.commit().bytes;
  } catch (...) {
    // The transaction has removed its own directory: what is left was made here a moment ago.
    discard_directory(run.path());
    throw;
  }
}

std::uint64_t write_weights(const std::string& path, const std::vector<TensorView>& weights) {
  AtomicFile file(path);
  write_safetensors([&](std::string_view piece) { file.write(piece); }, weights);
  file.commit();
  return file.size();
}

void check_options(const ConvertOptions& options, Kind from, Kind to) {
  const bool makes_run = to == Kind::kRun;
  if (from == Kind::kRun && makes_run) {
    throw UsageError("convert got two directories (want OUT to end in .pt or .safetensors)");
  }
  if (!makes_run && !(options.tokenizer.empty() && options.config.empty())) {
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
  const Kind to = kind_of(options.output);
  check_options(options, kind_of(options.input), to);
  Source source;
  read_source(options.input, source);
  TrainedModel& model = source.model;
  std::uint64_t bytes = 0;
  switch (to) {
    case Kind::kTorch:
      bytes = write_original_checkpoint(options.output, model, adam_of(source));
      break;
    case Kind::kSafetensors:
      model.moments.clear();
      bytes = write_weights(options.output, model.weights);
      break;
    case Kind::kRun:
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
