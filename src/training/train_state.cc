// SPDX-License-Identifier: Apache-2.0
#include "training/train_state.h"

#include "base/file.h"
#include "linformer/error.h"
#include "storage/json_state.h"
#include "training/weights.h"

namespace linformer {
namespace {

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

CommitResult save_generation(const std::string& run_directory, const GenerationInputs& in,
                             std::int64_t keep) {
  // Weights and two moments; what else there is is small.
  require_free_space(run_directory, static_cast<std::uint64_t>(in.store.num_elements()) * 12 +
                                        in.tokenizer_json.size() + in.config_yaml.size());
  CheckpointTransaction save(run_directory, in.state.step);
  save.add(std::string(kWeightsFile), host_weights(in.store).views());
  HostTensors moments;
  for (const Optimizer::Moments& moment : in.optimizer.moments()) {
    moments.add("exp_avg." + moment.parameter->name, moment.exp_avg);
    moments.add("exp_avg_sq." + moment.parameter->name, moment.exp_avg_sq);
  }
  save.add(std::string(kOptimizerFile), moments.views());
  JsonState json;
  visit_state(in.state, Writer{json});
  json.set_int("optimizer_steps", in.optimizer.steps());
  json.set_text("tokenizer_digest", in.fingerprint.tokenizer_digest);
  json.set_text("data_digest", in.fingerprint.data_digest);
  json.set_text("environment", in.fingerprint.environment);
  save.add_text(std::string(kStateFile), json.text());
  save.add_text(std::string(kConfigFile), in.config_yaml);
  save.add_text(std::string(kTokenizerFile), in.tokenizer_json);
  return save.commit(keep);
}

std::string restore_generation(const Generation& generation, const RunFingerprint& fingerprint,
                               bool allow_inexact, ParameterStore& store, Optimizer& optimizer,
                               TrainState& state) {
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
  optimizer.set_steps(json.get_int("optimizer_steps"));
  return note;
}

}  // namespace linformer
