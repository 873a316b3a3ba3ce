// SPDX-License-Identifier: Apache-2.0
#include "cli/dry_run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/fixed_text.h"
#include "base/log.h"
#include "cli/preflight.h"
#include "cli/train_request.h"
#include "config/model_size.h"
#include "config/yaml_reader.h"
#include "data/corpus_split.h"
#include "data/npz_corpus.h"
#include "data/parallel_corpus.h"
#include "data/token_store.h"
#include "linformer/error.h"
#include "storage/json_state.h"
#include "text/tokenizer.h"

namespace linformer {
namespace {

constexpr std::int64_t kOriginalVocabulary = 50272;
constexpr std::uintmax_t kCountedBytes =
    8U << 20;  // a larger corpus would take longer than a dry run may

struct Plan {
  std::string config;
  std::string run;
  LoadedConfig loaded;
  std::string vocabulary_origin;
  double parameters = 0;
  double state_bytes = 0;
  double activation_bytes = 0;
  std::optional<std::int64_t> pairs;  // of the training corpus, where counting is cheap
  std::optional<std::int64_t> steps;
};

void set_vocabulary(Plan& plan) {
  ModelConfig& model = plan.loaded.config.model;
  const DataConfig& data = plan.loaded.config.data;
  if (data.tokenizer.empty()) {
    plan.vocabulary_origin =
        model.vocab_size > 0 ? "model.vocab_size" : "assumed; no tokenizer is given";
    if (model.vocab_size == 0) model.vocab_size = kOriginalVocabulary;
    return;
  }
  const std::int64_t size = Tokenizer::load(data.tokenizer).vocab_size();
  plan.vocabulary_origin = model.vocab_size > 0 ? "model.vocab_size" : data.tokenizer;
  if (model.vocab_size == 0) model.vocab_size = (size + 7) / 8 * 8;
  if (model.vocab_size < size) {
    throw ConfigError("model.vocab_size (" + std::to_string(model.vocab_size) +
                      ") is smaller than the tokenizer's vocabulary (" + std::to_string(size) +
                      ", " + data.tokenizer + ")");
  }
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Counts the corpus where that is cheap, and the steps where they follow from it.
void count_data(Plan& plan) {
  const DataConfig& data = plan.loaded.config.data;
  const TrainingConfig& training = plan.loaded.config.training;
  std::int64_t tokens = 0;
  std::int64_t all_pairs = 0;
  if (data.train.ends_with(".lfs")) {
    const TokenStore store(data.train);
    all_pairs = store.size();
    tokens = static_cast<std::int64_t>(
                 std::max(store.info().source_tokens, store.info().target_tokens)) +
             2 * all_pairs;
  } else if (data.train.ends_with(".npz")) {
    const NpzCorpus npz(data.train);
    npz.require_max_length(data.max_length);
    all_pairs = npz.size();
  } else {
    const std::string& first = data.train.empty() ? data.train_source : data.train;
    if (first.empty() || std::filesystem::file_size(first) > kCountedBytes) return;
    all_pairs = count_pairs({.file = data.train,
                             .source_file = data.train_source,
                             .target_file = data.train_target,
                             .source_column = data.source_language,
                             .target_column = data.target_language});
  }
  std::int64_t pairs = leading_pairs(all_pairs, data.fraction);
  if (data.validation.empty() && data.validation_source.empty()) {
    pairs = (plan.loaded.config.model.compatibility ? compatibility_split(pairs)
                                                    : held_out_split(pairs))
                .train;
  }
  plan.pairs = pairs;
  if (training.batch_size > pairs) {
    throw ConfigError("training.batch_size (" + std::to_string(training.batch_size) +
                      ") is larger than the training corpus (" + std::to_string(pairs) + " pairs)");
  }
  std::int64_t batches = 0;
  if (training.batch_size > 0) batches = divide_up(pairs, training.batch_size);
  if (training.batch_size == 0 && tokens > 0) {
    const double share = static_cast<double>(pairs) / static_cast<double>(all_pairs);
    batches = divide_up(static_cast<std::int64_t>(std::ceil(static_cast<double>(tokens) * share)),
                        training.batch_tokens);
  }
  if (batches > 0) plan.steps = training.epochs * divide_up(batches, training.accumulate);
}

Plan make_plan(const TrainOptions& options) {
  Plan plan;
  plan.config = options.config;
  plan.run = run_directory_of(options);
  plan.loaded = load_run_config(options.config, config_overrides(options));
  set_vocabulary(plan);
  count_data(plan);
  const RunConfig& config = plan.loaded.config;
  const std::int64_t max_steps = config.training.max_steps;
  if (max_steps > 0) plan.steps = std::min(max_steps, plan.steps.value_or(max_steps));
  const double tokens =
      config.training.batch_size > 0
          ? static_cast<double>(config.training.batch_size * config.data.max_length)
          : static_cast<double>(config.training.batch_tokens);
  plan.parameters = parameter_count(config.model);
  plan.state_bytes = training_state_bytes(config.model);
  plan.activation_bytes = activation_bytes(config.model, tokens);
  return plan;
}

std::string mebibytes(double bytes) { return fixed(bytes / (1024 * 1024), 0) + " MiB"; }

std::string model_text(const ModelConfig& model) {
  std::string out(enum_name(model.type));
  if (model.is_linformer()) {
    out += ", k = " + std::to_string(model.projected_length) + " (" +
           std::string(enum_name(model.projection)) + ")";
    if (model.shortens_encoder_alone()) out += ", full cross-attention";
  }
  const std::string layers = std::to_string(model.num_layers);
  out += ", " +
         (model.encoder_only ? layers + " encoder layers" : layers + " + " + layers + " layers");
  return out + ", width " + std::to_string(model.model_dim) + ", feed-forward " +
         std::to_string(model.ffn_dim) + ", " + std::to_string(model.num_heads) + " heads";
}

std::string corpus_text(const std::string& file, const std::string& source,
                        const std::string& target) {
  if (!file.empty()) return file;
  return source.empty() ? "" : source + " + " + target;
}

std::string batch_text(const TrainingConfig& training) {
  const std::string batch =
      training.batch_size > 0 ? std::to_string(training.batch_size) + " pairs"
                              : "up to " + std::to_string(training.batch_tokens) + " tokens a side";
  return training.accumulate > 1
             ? batch + ", " + std::to_string(training.accumulate) + " batches a step"
             : batch;
}

void print_text(const Plan& plan) {
  const RunConfig& config = plan.loaded.config;
  const DataConfig& data = config.data;
  std::string out;
  const auto add = [&](const std::string& name, const std::string& text) {
    out += name + std::string(18 - name.size(), ' ') + text + "\n";
  };
  const auto named_or = [](const std::string& text, const char* otherwise) {
    return text.empty() ? otherwise : text;
  };
  add("configuration", plan.config);
  add("mode", config.model.compatibility
                  ? "compatibility (the original's model, order, loss and schedule)"
                  : "corrected");
  add("model", model_text(config.model));
  add("vocabulary", std::to_string(config.model.vocab_size) + " (" + plan.vocabulary_origin + ")");
  add("parameters", fixed(plan.parameters, 0));
  add("memory", "about " + mebibytes(plan.state_bytes) +
                    " for weights, gradients and Adam's moments, about " +
                    mebibytes(plan.activation_bytes) + " for a batch in float32");
  add("training data", named_or(corpus_text(data.train, data.train_source, data.train_target),
                                "not given (--train CORPUS)") +
                           (plan.pairs ? ", " + std::to_string(*plan.pairs) + " pairs" : ""));
  add("validation data",
      named_or(corpus_text(data.validation, data.validation_source, data.validation_target),
               data.split == DataSplit::kRandom ? "drawn from the training corpus"
                                                : "the end of the training corpus"));
  add("tokenizer", named_or(data.tokenizer, "not given (--tokenizer DIR)"));
  add("batch", batch_text(config.training));
  add("epochs", std::to_string(config.training.epochs));
  add("steps",
      plan.steps ? "about " + std::to_string(*plan.steps) : "known when the data are counted");
  if (config.training.max_minutes > 0) {
    add("time limit", real_text(config.training.max_minutes) + " minutes");
  }
  add("run directory", plan.run);
  write_stdout(out);
}

void print_json(const Plan& plan) {
  const RunConfig& config = plan.loaded.config;
  const DataConfig& data = config.data;
  using Json = nlohmann::ordered_json;
  const auto or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  const Json json{{"config", plan.config},
                  {"compatibility", config.model.compatibility},
                  {"type", enum_name(config.model.type)},
                  {"vocab_size", config.model.vocab_size},
                  {"parameters", static_cast<std::int64_t>(plan.parameters)},
                  {"state_bytes", static_cast<std::int64_t>(plan.state_bytes)},
                  {"activation_bytes", static_cast<std::int64_t>(plan.activation_bytes)},
                  {"train", or_null(corpus_text(data.train, data.train_source, data.train_target))},
                  {"validation", or_null(corpus_text(data.validation, data.validation_source,
                                                     data.validation_target))},
                  {"tokenizer", or_null(data.tokenizer)},
                  {"pairs", plan.pairs ? Json(*plan.pairs) : Json(nullptr)},
                  {"epochs", config.training.epochs},
                  {"steps", plan.steps ? Json(*plan.steps) : Json(nullptr)},
                  {"max_minutes", config.training.max_minutes},
                  {"run", plan.run}};
  write_stdout(json.dump() + "\n");
}

}  // namespace

int run_dry_run(const TrainOptions& options, const CommonOptions& common) {
  const Plan plan = make_plan(options);
  const RunConfig& config = plan.loaded.config;
  if (config.model.encoder_only)
    log_warning("model.encoder_only: an encoder alone serves compare, train refuses it");
  if (config.data.train.empty() && config.data.train_source.empty())
    log_warning("no training data: train needs --train CORPUS");
  if (config.data.tokenizer.empty()) log_warning("no tokenizer: train needs --tokenizer DIR");
  if (common.json) {
    print_json(plan);
  } else {
    print_text(plan);
  }
  return 0;
}

}  // namespace linformer
