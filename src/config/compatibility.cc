// SPDX-License-Identifier: Apache-2.0
#include "config/compatibility.h"

#include <string>
#include <string_view>

#include "config/option.h"

namespace linformer {
namespace {

/// What the original does where its YAML files say nothing.
RunConfig original_defaults() {
  RunConfig config;
  config.model.norm = NormPlacement::kPost;
  config.model.dropout = 0.0;
  config.model.tie_embeddings = false;
  config.model.projection = Projection::kLinear;
  config.model.projection_init = ProjectionInit::kSeed;
  TrainingConfig& training = config.training;
  training.batch_size = 88;
  training.learning_rate = 1e-4;
  training.beta2 = 0.999;
  training.epsilon = 1e-8;
  training.schedule = Schedule::kCosine;
  training.lr_scheduler = {.warmup_steps = 1000};
  training.label_smoothing = 0.0;
  training.gradient_clip = 0.0;
  config.data.long_pairs = LongPolicy::kTruncate;
  return config;
}

bool starts_with_either(std::string_view key) {
  return key.starts_with("model.") || key.starts_with("training.");
}

}  // namespace

bool is_compatibility_mode(const LoadedConfig& loaded) {
  if (loaded.config.compatibility) return *loaded.config.compatibility;
  RunConfig unused;
  bool has_model = false;
  for (const Option& option : schema_of(unused).options) {
    const auto found = loaded.origins.find(option.key);
    if (found == loaded.origins.end() || found->second.layer != Layer::kFile ||
        !starts_with_either(option.key))
      continue;
    if (found->second.spelling != option.original) return false;
    has_model = has_model || option.key.starts_with("model.");
  }
  return has_model;
}

void apply_compatibility_defaults(LoadedConfig& loaded) {
  RunConfig original = original_defaults();
  // Without cosine annealing the original halves the learning rate on a plateau.
  if (!loaded.config.training.lr_scheduler.cosine_annealing)
    original.training.schedule = Schedule::kPlateau;
  const Schema from = schema_of(original);
  const Schema to = schema_of(loaded.config);
  RunConfig defaults;
  const Schema unchanged = schema_of(defaults);
  for (std::size_t i = 0; i < to.options.size(); ++i) {
    const Option& option = to.options[i];
    if (loaded.is_given(option.key)) continue;
    if (from.options[i].value_text() == unchanged.options[i].value_text()) continue;
    copy_value(from.options[i], option);
    loaded.origins[option.key] = {.layer = Layer::kCompatibility, .spelling = option.key};
  }
}

}  // namespace linformer
