// SPDX-License-Identifier: Apache-2.0
#include "engine/loaded_model.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "cli/model_file.h"
#include "config/yaml_reader.h"
#include "linformer/error.h"
#include "tracking/wandb_checkpoint.h"
#include "training/weights.h"

namespace linformer {
namespace {

void check_vocabulary(LoadedModel& loaded) {
  const std::int64_t tokens = loaded.tokenizer->vocab_size();
  std::int64_t& rows = loaded.config.model.vocab_size;
  if (rows == 0) rows = (tokens + 7) / 8 * 8;
  if (rows < tokens) {
    throw CheckpointError(loaded.generation.path +
                          ": the tokenizer has more tokens than the model (got " +
                          std::to_string(tokens) + ", want at most " + std::to_string(rows) + ")");
  }
}

/// Configuration and tokenizer of a generation.
void read_setting(LoadedModel& loaded) {
  const std::string& path = loaded.generation.path;
  loaded.config = load_saved_config(path + "/" + std::string(kConfigFile)).config;
  loaded.tokenizer =
      std::make_unique<Tokenizer>(Tokenizer::load(path + "/" + std::string(kTokenizerFile)));
}

}  // namespace

LoadedModel load_model(const std::string& argument, const CommonOptions& common,
                       const ModelFileOptions& file_options) {
  const std::string checkpoint = local_checkpoint(argument);
  check_model_options(checkpoint, file_options);
  LoadedModel out;
  std::optional<ModelFile> file;
  if (model_kind(checkpoint) == ModelKind::kRun) {
    out.generation =
        resolve_checkpoint(checkpoint, [](const std::string& reason) { log_warning(reason); });
    read_setting(out);
  } else {
    const TrainedModel& model = file.emplace(checkpoint).model;
    auto [config, tokenizer] = model_setting(model, checkpoint, file_options);
    out.generation = {checkpoint, model.steps};
    out.config = std::move(config);
    out.tokenizer = std::make_unique<Tokenizer>(std::move(tokenizer));
  }
  if (out.config.model.encoder_only) {
    throw UsageError(checkpoint + ": an encoder-only model cannot translate; it serves compare");
  }
  check_vocabulary(out);
  out.device = choose_device(common.device, common.dtype, common.threads);
  out.store = std::make_unique<ParameterStore>(out.device.device, out.device.dtype, std::nullopt);
  out.model = std::make_unique<Transformer>(out.config.model, *out.store);
  if (file) {
    load_weights_into(file->model.weights, checkpoint, *out.store);
  } else {
    load_weights_into(load_weights(out.generation), *out.store);
  }
  return out;
}

}  // namespace linformer
