// SPDX-License-Identifier: Apache-2.0
#include "engine/training_session.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "cli/model_file.h"
#include "config/printer.h"
#include "config/resume.h"
#include "decoding/translator.h"
#include "engine/build_info.h"
#include "engine/training_data.h"
#include "linformer/error.h"
#include "linformer/version.h"
#include "ops/device.h"
#include "scoring/bleu.h"
#include "scoring/chrf.h"
#include "storage/json_state.h"
#include "storage/run_directory.h"
#include "tracking/jsonl_sink.h"
#include "tracking/status_line.h"
#include "tracking/tracking_sinks.h"
#include "training/trainer.h"
#include "training/weights.h"

namespace linformer {
namespace {

/// Keeps the last validation for the result.
class LastValidation final : public Sink {
 public:
  explicit LastValidation(std::optional<ValidationRecord>& last) : last_(last) {}
  void on_step(const StepRecord& /*record*/) override {}
  void on_validation(const ValidationRecord& record) override { last_ = record; }
  void on_final(const FinalRecord& /*record*/) override {}
  void on_text(std::int64_t /*step*/, std::string_view /*text*/) override {}
  void flush() override {}

 private:
  std::optional<ValidationRecord>& last_;
};

std::string processor_name() {
  return "LibTorch " + std::string(kTorchVersion) + ", " + at::get_cpu_capability();
}

/// Everything of one run, in the order in which it is built.
struct Session {
  RunConfig config;
  DeviceChoice device;
  Tokenizer tokenizer;
  TrainingData data;
  RunFingerprint fingerprint;
  std::string config_yaml;
  std::string tokenizer_json;
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<Transformer> model;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<WeightAverage> average;  // null = training.ema_decay is 0
  TrainState state;
};

std::int64_t vocabulary_rows(const RunConfig& config, const Tokenizer& tokenizer) {
  const std::int64_t size = tokenizer.vocab_size();
  if (config.model.vocab_size == 0) return (size + 7) / 8 * 8;
  if (config.model.vocab_size < size) {
    throw ConfigError("model.vocab_size is smaller than the tokenizer's vocabulary (got " +
                      std::to_string(config.model.vocab_size) + ", want at least " +
                      std::to_string(size) + ")");
  }
  return config.model.vocab_size;
}

void refuse_what_cannot_be_trained(const RunConfig& config) {
  if (config.model.encoder_only) {
    throw ConfigError(
        "model.encoder_only: an encoder alone cannot be trained to translate; it serves compare");
  }
}

Session build(const SessionRequest& request) {
  refuse_what_cannot_be_trained(request.config);
  RunConfig config = request.config;
  const CommonOptions& common = request.common;
  DeviceChoice device =
      choose_device(common.device, common.dtype, config.deterministic ? 1 : common.threads);
  if (config.deterministic) use_deterministic_algorithms();
  log_info("device: " + device.description);
  if (config.data.tokenizer.empty()) {
    throw ConfigError(
        "data.tokenizer is missing: give --tokenizer DIR or data.tokenizer in the YAML; "
        "'linformer tokenizer train' makes one");
  }
  Tokenizer tokenizer = Tokenizer::load(config.data.tokenizer);
  config.model.vocab_size = vocabulary_rows(config, tokenizer);
  TrainingData data = load_training_data(config, tokenizer);
  Session out{
      std::move(config), device, tokenizer, std::move(data), {}, {}, {}, {}, {}, {}, {}, {}};
  out.fingerprint = {tokenizer.digest(), out.data.train->digest(),
                     device.description + ", " + processor_name()};
  out.config_yaml = print_config(out.config);
  out.tokenizer_json = tokenizer.to_json();
  out.store = std::make_unique<ParameterStore>(device.device, device.dtype, out.config.seed);
  out.model = std::make_unique<Transformer>(out.config.model, *out.store);
  out.optimizer = std::make_unique<Optimizer>(*out.store, out.config.training);
  if (out.config.training.ema_decay > 0) {
    out.average = std::make_unique<WeightAverage>(*out.store, out.config.training.ema_decay);
  }
  log_info("model: " + std::string(enum_name(out.config.model.type)) + ", " +
           std::to_string(out.store->num_elements()) + " parameters" +
           (out.config.model.compatibility
                ? ", compatibility mode (the original's model and training)"
                : ""));
  return out;
}

void write_environment(const RunDirectory& run, const Session& session) {
  JsonState json;
  json.set_text("version", kVersion);
  json.set_text("environment", session.fingerprint.environment);
  json.set_text("tokenizer_digest", session.fingerprint.tokenizer_digest);
  json.set_text("data_digest", session.fingerprint.data_digest);
  json.set_uint("seed", session.config.seed);
  json.set_int("parameters", session.store->num_elements());
  run.write_text("env.json", json.text());
}

/// Goes on from the newest generation that verifies; false when there is none and that is allowed.
bool restore(const SessionRequest& request, Session& session) {
  const std::string& path = request.run_directory;
  if (request.resume_if_any && list_generations(path).empty()) return false;
  const Generation generation =
      newest_valid_generation(path, [](const std::string& reason) { log_warning(reason); });
  const LoadedConfig saved = load_saved_config(generation.path + "/" + std::string(kConfigFile));
  require_resumable(saved.config, session.config, path);
  const std::string note =
      restore_generation(generation, session.fingerprint, request.allow_inexact, *session.store,
                         *session.optimizer, session.state, session.average.get());
  if (!note.empty()) log_warning(note);
  log_info("resuming " + generation.path);
  return true;
}

/// Weights of a model file or of a run's generation.
void start_from(const std::string& checkpoint, ParameterStore& store) {
  std::string path = checkpoint;
  if (model_kind(checkpoint) == ModelKind::kRun) {
    const Generation generation = resolve_checkpoint(checkpoint);
    load_weights_into(load_weights(generation), store);
    path = generation.path;
  } else {
    load_weights_into(ModelFile(checkpoint).model.weights, checkpoint, store);
  }
  log_info("weights from " + path);
}

TranslationScores score_validation(Session& session, const PairSet& validation) {
  Translator translator(*session.model, session.tokenizer, session.device.device);
  std::vector<std::vector<std::int32_t>> sources(validation.size());
  std::vector<std::string> references;
  for (std::uint32_t i = 0; i < validation.size(); ++i) {
    validation.source(i, sources[i]);
    references.push_back(validation.text(i).target);
  }
  std::vector<std::string> candidates;
  for (const Hypothesis& hypothesis : translator.translate_ids(sources)) {
    candidates.push_back(translator.text_of(hypothesis.ids));
  }
  const bool is_tokenized = session.config.training.validation_bleu == ValidationBleu::kNone;
  TranslationScores out;
  out.bleu =
      corpus_bleu(candidates, references, is_tokenized ? BleuTokenize::kNone : BleuTokenize::k13a)
          .score;
  out.chrf = corpus_chrf(candidates, references).score;
  out.sample = validation.text(0).source + " -> " + candidates.front();
  return out;
}

/// The mean of the last generations' weights, committed as the run RUN/averaged; its path, or
/// nothing where none is asked for.
std::string average_last(const SessionRequest& request, Session& session) {
  const std::int64_t count = session.config.training.average_last;
  std::vector<Generation> generations = list_generations(request.run_directory);
  if (count < 2 || generations.size() < 2) return {};
  generations.resize(std::min<std::size_t>(generations.size(), static_cast<std::size_t>(count)));
  average_into(generations, *session.store);
  std::string text =
      "averaged the weights of " + std::to_string(generations.size()) + " checkpoints";
  if (session.data.validation) {
    const double loss =
        corpus_loss(*session.model, gather_pairs(*session.data.validation),
                    inference_batch_tokens(session.device.device), session.device.device)
            .mean();
    text += ": validation loss " + real_text(loss);
  }
  const std::string path = request.run_directory + "/averaged";
  RunDirectory averaged = RunDirectory::create(path, /*overwrite=*/true);
  save_generation(path,
                  {*session.store, *session.optimizer, session.state, session.fingerprint,
                   session.config_yaml, session.tokenizer_json},
                  2);
  log_info(text + ", saved as " + path);
  return path;
}

RunDirectory open_run(const SessionRequest& request) {
  if (request.resume) return RunDirectory::open(request.run_directory);
  return RunDirectory::create(request.run_directory, request.overwrite);
}

}  // namespace

SessionResult run_training_session(const SessionRequest& request) {
  Session session = build(request);
  const RunDirectory run = open_run(request);
  SessionResult result;
  result.run_directory = request.run_directory;
  const bool resumed = request.resume && restore(request, session);
  if (!resumed && !request.init.empty()) {
    start_from(request.init, *session.store);
    if (session.average) session.average->set_to(*session.store);
  }
  JsonlSink::truncate_after(run.file("metrics.jsonl"), session.state.step);
  if (!resumed) write_environment(run, session);
  run.write_text(kConfigFile, session.config_yaml);
  run.update_latest_link();

  Observer observer;
  observer.add(std::make_unique<LastValidation>(result.last_validation));
  observer.add(std::make_unique<JsonlSink>(run.file("metrics.jsonl")));
  add_tracking_sinks(observer, run.path(), session.config,
                     {session.state.step, session.state.elapsed_seconds});
  if (!request.common.quiet) observer.add(std::make_unique<StatusLine>(stderr_status_line()));

  const PairSet* validation = session.data.validation ? &*session.data.validation : nullptr;
  TrainerParts parts{session.config,
                     session.config_yaml,
                     session.tokenizer_json,
                     session.fingerprint,
                     run.path(),
                     session.data.train,
                     validation,
                     *session.store,
                     *session.model,
                     *session.optimizer,
                     observer,
                     session.device.device,
                     {},
                     {},
                     session.average.get()};
  if (validation != nullptr && session.config.training.validation_bleu != ValidationBleu::kOff) {
    parts.translate_validation = [&] { return score_validation(session, *validation); };
  }
  parts.on_save = [](const CommitResult& saved) {
    if (!saved.warning.empty()) log_warning(saved.warning);
  };
  Trainer trainer(parts, session.state);
  try {
    result.final_record = trainer.run();
  } catch (const Interrupted&) {
    const std::int64_t step = trainer.state().step;
    log_info(step == 0 ? "ended in the first step; nothing was saved"
                       : "saved step " + std::to_string(step) + " in " + run.path() +
                             "; go on with --resume " + run.path());
    throw;
  }
  observer.on_final(result.final_record);
  observer.flush();
  session.state = trainer.state();
  result.averaged = average_last(request, session);
  return result;
}

}  // namespace linformer
