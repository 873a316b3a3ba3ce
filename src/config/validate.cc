// SPDX-License-Identifier: Apache-2.0
#include "config/validate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "config/model_size.h"
#include "config/number_text.h"
#include "config/option.h"

namespace linformer {
namespace {

/// No machine that trains one model with one of our processes has more memory.
constexpr double kAbsurdBytes = 4.0 * 1024 * 1024 * 1024 * 1024;

/// Complaints about options that do not go together.
class Checker {
 public:
  Checker(const LoadedConfig& loaded, const std::string& file)
      : loaded_(loaded), file_(file), config_(loaded.config) {}

  void run() const {
    check_required();
    check_sizes();
    check_projection();
    check_compatible();
    check_batches();
    check_learning_rate();
    check_schedule();
    check_stopping();
    check_corpus("train");
    check_corpus("validation");
    check_tracking();
    check_memory();
  }

 private:
  /// "model.dim (510)".
  std::string with_value(const std::string& key, double value) const {
    return name(key) + " (" + number_text(value) + ")";
  }
  std::string with_value(const std::string& key, std::int64_t value) const {
    return name(key) + " (" + std::to_string(value) + ")";
  }
  std::string name(const std::string& key) const { return spelled(loaded_, key); }
  bool given(const std::string& key) const { return loaded_.is_given(key); }

  /// Throws; the place is that of the first of `keys` that was given, so name the likelier culprit
  /// first.
  [[noreturn]] void complain(const std::vector<std::string>& keys,
                             const std::string& reason) const {
    const auto found =
        std::ranges::find_if(keys, [&](const std::string& key) { return given(key); });
    throw ConfigError(complaint_start(loaded_, found == keys.end() ? keys.front() : *found, file_) +
                      reason);
  }

  void check_required() const {
    RunConfig unused;
    for (const Option& option : schema_of(unused).options) {
      if (!option.required || given(option.key)) continue;
      std::string reason = option.original + " is missing (want " + option.wanted();
      const std::string leaf = option.original.substr(option.original.rfind('.') + 1);
      reason += "; example: " + leaf + ": " + std::string(*option.required) + ")";
      complain({option.key}, reason);
    }
  }

  void check_sizes() const {
    const ModelConfig& model = config_.model;
    if (model.model_dim % model.num_heads != 0) {
      complain({"model.model_dim", "model.num_heads"},
               with_value("model.model_dim", model.model_dim) + " must be a multiple of " +
                   with_value("model.num_heads", model.num_heads));
    }
    if (model.model_dim % 2 != 0) {
      complain({"model.model_dim"},
               with_value("model.model_dim", model.model_dim) +
                   " must be even: positions are encoded by pairs of sine and cosine");
    }
  }

  void check_projection() const {
    const ModelConfig& model = config_.model;
    const std::string key = "model.projected_length";
    if (!model.is_linformer()) {
      if (given(key))
        complain({key},
                 name(key) + " is for type Linformer alone (leave it out, or set model.type)");
      return;
    }
    if (!given(key)) {
      complain({key, "model.type"},
               name(key) +
                   " is missing: a Linformer must say to how many rows it shortens keys and values"
                   " (example: k: 32)");
    }
    if (model.projected_length > config_.data.max_length) {
      complain({key, "data.max_length"},
               with_value(key, model.projected_length) + " must not be above " +
                   with_value("data.max_length", config_.data.max_length));
    }
  }

  void check_compatible() const {
    const ModelConfig& model = config_.model;
    if (!model.compatibility) return;
    const auto refuse = [&](const std::string& key, const std::string& only) {
      complain({key},
               name(key) + " must be " + only +
                   " in compatibility mode (set compatibility: false for the corrected model)");
    };
    if (model.norm != NormPlacement::kPost) refuse("model.norm", "post");
    if (model.tie_embeddings) refuse("model.tie_embeddings", "false");
    if (model.projection != Projection::kLinear) refuse("model.projection", "linear");
    if (model.cross_attention != CrossAttention::kShortened) {
      refuse("model.cross_attention", "shortened");
    }
  }

  void check_batches() const {
    const TrainingConfig& training = config_.training;
    if (!training.fixed_capacity || training.batch_size == 0) return;
    const std::string key = "training.fixed_capacity";
    complain({key, "training.batch_size"},
             name(key) + " does not go with " +
                 with_value("training.batch_size", training.batch_size) +
                 ": give training.batch_tokens");
  }

  void check_learning_rate() const {
    const TrainingConfig& training = config_.training;
    const std::string floor = "training.lr_scheduler.min_lr";
    if (training.schedule == Schedule::kNoam && !given("training.learning_rate")) return;
    if (training.lr_scheduler.min_lr > training.learning_rate) {
      complain({floor, "training.learning_rate"},
               with_value(floor, training.lr_scheduler.min_lr) + " must not be above " +
                   with_value("training.learning_rate", training.learning_rate));
    }
  }

  void check_schedule() const {
    const TrainingConfig& training = config_.training;
    const LrSchedulerConfig& scheduler = training.lr_scheduler;
    const std::string factor = "training.lr_scheduler.cosine_factor";
    const std::string restart = "training.lr_scheduler.cosine_restart";
    const bool is_whole = scheduler.cosine_factor >= 1 &&
                          scheduler.cosine_factor == std::floor(scheduler.cosine_factor);
    if (scheduler.cosine_restart && !is_whole) {
      complain({factor, restart}, with_value(factor, scheduler.cosine_factor) +
                                      " must be a whole number of at least 1 when " +
                                      name(restart) + " is true");
    }
    const bool needs_warmup =
        training.schedule == Schedule::kNoam || training.schedule == Schedule::kInverseSqrt;
    if (needs_warmup && scheduler.warmup_steps == 0) {
      complain({"training.lr_scheduler.warmup_steps", "training.schedule"},
               name("training.lr_scheduler.warmup_steps") + " must be at least 1 with " +
                   name("training.schedule") + " " + std::string(enum_name(training.schedule)));
    }
  }

  void check_stopping() const {
    const TrainingConfig& training = config_.training;
    if (training.early_stopping.metric == Metric::kBleu &&
        training.validation_bleu == ValidationBleu::kOff) {
      complain({"training.early_stopping.metric", "training.validation_bleu"},
               name("training.early_stopping.metric") + " bleu needs " +
                   name("training.validation_bleu") + " 13a or none");
    }
    if (training.average_last > config_.checkpoint.keep) {
      complain({"training.average_last", "checkpoint.keep"},
               with_value("training.average_last", training.average_last) + " must not be above " +
                   with_value("checkpoint.keep", config_.checkpoint.keep));
    }
  }

  void check_tracking() const {
    const TrackingConfig& tracking = config_.tracking;
    if (tracking.wandb_checkpoint == WandbCheckpoint::kNone) return;
    if (tracking.wandb != WandbMode::kOff) return;
    complain({"tracking.wandb_checkpoint"},
             "tracking.wandb_checkpoint needs tracking.wandb: offline or online");
  }

  void check_corpus(const std::string& which) const {
    const std::string one = "data." + which;
    const std::string source = one + "_source";
    const std::string target = one + "_target";
    const bool is_train = which == "train";
    const DataConfig& data = config_.data;
    const bool has_one = !(is_train ? data.train : data.validation).empty();
    const bool has_source = !(is_train ? data.train_source : data.validation_source).empty();
    const bool has_target = !(is_train ? data.train_target : data.validation_target).empty();
    if (has_source != has_target) {
      complain({has_source ? source : target},
               (has_source ? source : target) + " needs " + (has_source ? target : source));
    }
    if (has_one && has_source)
      complain({source}, source + " and " + one + " name two corpora (want one)");
  }

  void check_memory() const {
    const double bytes = training_state_bytes(config_.model);
    if (bytes <= kAbsurdBytes) return;
    RunConfig unused;
    const ModelConfig& model = config_.model;
    // The option whose value is furthest from an ordinary one is the culprit to name.
    const std::vector<std::pair<double, std::string>> ratios{
        {static_cast<double>(model.model_dim) / 512, "model.model_dim"},
        {static_cast<double>(model.ffn_dim) / 2048, "model.ffn_dim"},
        {static_cast<double>(model.num_layers) / 6, "model.num_layers"},
        {static_cast<double>(model.vocab_size) / 50272, "model.vocab_size"},
        {static_cast<double>(config_.data.max_length) / 16384, "data.max_length"}};
    const std::string key = std::ranges::max_element(ratios)->second;
    char text[32];
    const auto end =
        std::to_chars(text, text + sizeof(text), bytes, std::chars_format::scientific, 1).ptr;
    complain({key}, name(key) +
                        " is too large: weights, gradients and Adam's moments would take about " +
                        std::string(text, end) + " bytes (want at most 4 TiB)");
  }

  const LoadedConfig& loaded_;
  const std::string& file_;
  const RunConfig& config_;
};

}  // namespace

std::string complaint_start(const LoadedConfig& loaded, const std::string& key,
                            const std::string& file) {
  const auto found = loaded.origins.find(key);
  if (found != loaded.origins.end()) {
    const Origin& origin = found->second;
    if (origin.layer == Layer::kFile) return origin.key.text() + ": ";
    if (origin.layer == Layer::kEnvironment || origin.layer == Layer::kCommandLine)
      return origin.text() + ": ";
  }
  return file + ": ";
}

std::string spelled(const LoadedConfig& loaded, const std::string& key) {
  const auto found = loaded.origins.find(key);
  if (found != loaded.origins.end() && loaded.is_given(key)) return found->second.spelling;
  RunConfig unused;
  const Schema schema = schema_of(unused);
  const Option* option = schema.find(key);
  return option != nullptr && !option->original.empty() ? option->original : key;
}

void validate(const LoadedConfig& loaded, const std::string& file) { Checker(loaded, file).run(); }

}  // namespace linformer
