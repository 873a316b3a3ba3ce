// SPDX-License-Identifier: Apache-2.0
#include "training/train_state.h"

#include "base/file.h"
#include "linformer/error.h"
#include "ops/device.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

std::string trained_name(const Parameter& parameter) {
  return std::string(kTrainedPrefix) + parameter.name;
}

/// One list of members serves writing and reading.
template <typename State, typename Visitor>
void visit_state(State& state, Visitor&& visit) {
  visit("step", state.step);
  visit("epoch", state.epoch);
  visit("batch", state.batch);
  visit("sample", state.sample);
  visit("source_tokens", state.source_tokens);
  visit("target_tokens", state.target_tokens);
  visit("elapsed_seconds", state.elapsed_seconds);
  visit("validated_step", state.validated_step);
  visit("best_step", state.best_step);
  visit("best_value", state.best_value);
  visit("without_better", state.without_better);
  visit("plateau_best", state.plateau_best);
  visit("plateau_count", state.plateau_count);
  visit("plateau_reductions", state.plateau_reductions);
  visit("interval_nll", state.interval_nll);
  visit("interval_tokens", state.interval_tokens);
  visit("interval_norm", state.interval_norm);
}

struct Writer {
  JsonState& json;
  void operator()(const char* name, std::int64_t value) { json.set_int(name, value); }
  void operator()(const char* name, double value) { json.set_real(name, value); }
};

struct Reader {
  const JsonState& json;
  void operator()(const char* name, std::int64_t& value) { value = json.get_int(name); }
  void operator()(const char* name, double& value) { value = json.get_real(name); }
};

void require_same(const std::string& path, const char* what, const std::string& old_value,
                  const std::string& new_value) {
  if (old_value == new_value) return;
  throw CheckpointError(path + ": " + what + " of the run differs (checkpoint " + old_value +
                        ", here " + new_value + ")");
}

}  // namespace

void GenerationSnapshot::reserve(const ParameterStore& store, const Optimizer& optimizer,
                                 bool has_average) {
  for (const Parameter& parameter : store.parameters()) {
    weights_.reserve(parameter.master);
    if (has_average) moments_.reserve(parameter.master);
  }
  for (const Optimizer::Moments& moment : optimizer.moments()) {
    moments_.reserve(moment.exp_avg);
    moments_.reserve(moment.exp_avg_sq);
  }
}

void GenerationSnapshot::take(const GenerationInputs& in) {
  step_ = in.state.step;
  weights_.clear();
  moments_.clear();
  for (std::size_t i = 0; i < in.store.parameters().size(); ++i) {
    const Parameter& parameter = in.store.parameters()[i];
    weights_.add(parameter.name,
                 in.average == nullptr ? parameter.master : in.average->weights()[i]);
    if (in.average != nullptr) moments_.add(trained_name(parameter), parameter.master);
  }
  for (const Optimizer::Moments& moment : in.optimizer.moments()) {
    moments_.add("exp_avg." + moment.parameter->name, moment.exp_avg);
    moments_.add("exp_avg_sq." + moment.parameter->name, moment.exp_avg_sq);
  }
  JsonState json;
  visit_state(in.state, Writer{json});
  json.set_int("optimizer_steps", in.optimizer.steps());
  json.set_text("tokenizer_digest", in.fingerprint.tokenizer_digest);
  json.set_text("data_digest", in.fingerprint.data_digest);
  json.set_text("environment", in.fingerprint.environment);
  state_json_ = json.text();
  config_yaml_ = in.config_yaml;
  tokenizer_json_ = in.tokenizer_json;
  synchronize(in.store.device());
}

CommitResult GenerationSnapshot::commit(const std::string& run_directory, std::int64_t keep) const {
  require_free_space(run_directory, weights_.num_bytes() + moments_.num_bytes() +
                                        tokenizer_json_.size() + config_yaml_.size());
  CheckpointTransaction save(run_directory, step_);
  save.add(std::string(kWeightsFile), weights_.views());
  save.add(std::string(kOptimizerFile), moments_.views());
  save.add_text(std::string(kStateFile), state_json_);
  save.add_text(std::string(kConfigFile), config_yaml_);
  save.add_text(std::string(kTokenizerFile), tokenizer_json_);
  return save.commit(keep);
}

CommitResult save_generation(const std::string& run_directory, const GenerationInputs& inputs,
                             std::int64_t keep) {
  GenerationSnapshot snapshot;
  snapshot.take(inputs);
  return snapshot.commit(run_directory, keep);
}

std::string restore_generation(const Generation& generation, const RunFingerprint& fingerprint,
                               bool allow_inexact, ParameterStore& store, Optimizer& optimizer,
                               TrainState& state, WeightAverage* average) {
  const std::string state_path = generation.path + "/" + std::string(kStateFile);
  const JsonState json = JsonState::parse(read_generation_file(generation, kStateFile), state_path);
  require_same(state_path, "the tokenizer", json.get_text("tokenizer_digest"),
               fingerprint.tokenizer_digest);
  require_same(state_path, "the training data", json.get_text("data_digest"),
               fingerprint.data_digest);
  std::string note;
  if (json.get_text("environment") != fingerprint.environment) {
    note = "the environment differs (checkpoint: " + json.get_text("environment") +
           "; here: " + fingerprint.environment + ")";
    if (!allow_inexact) {
      throw CheckpointError(state_path + ": " + note +
                            "; --allow-inexact goes on without the same bits");
    }
  }
  visit_state(state, Reader{json});
  load_weights_into(SafetensorsFile(generation.path + "/" + std::string(kWeightsFile)), store);
  const SafetensorsFile moments(generation.path + "/" + std::string(kOptimizerFile));
  for (const Optimizer::Moments& moment : optimizer.moments()) {
    copy_tensor(moments.at("exp_avg." + moment.parameter->name), moments.path(), moment.exp_avg);
    copy_tensor(moments.at("exp_avg_sq." + moment.parameter->name), moments.path(),
                moment.exp_avg_sq);
  }
  if (average != nullptr) {
    average->set_to(store);
    for (const Parameter& parameter : store.parameters()) {
      copy_tensor(moments.at(trained_name(parameter)), moments.path(), parameter.master);
    }
    store.refresh_shadows();
  }
  optimizer.set_steps(json.get_int("optimizer_steps"));
  return note;
}

}  // namespace linformer
