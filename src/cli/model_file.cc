// SPDX-License-Identifier: Apache-2.0
#include "cli/model_file.h"

#include "base/log.h"
#include "cli/model_of_tensors.h"
#include "linformer/error.h"
#include "tracking/wandb_run_path.h"

namespace linformer {

ModelKind model_kind(std::string_view path) {
  if (path.ends_with(".pt")) return ModelKind::kTorch;
  return path.ends_with(".safetensors") ? ModelKind::kSafetensors : ModelKind::kRun;
}

ModelFile::ModelFile(const std::string& path) {
  if (model_kind(path) == ModelKind::kTorch) {
    model = read_original_checkpoint(torch_.emplace(path));
  } else {
    model.weights = safetensors_.emplace(path).tensors();
  }
  check_finite(model.weights, path);
  check_finite(model.moments, path);
}

void check_model_options(const std::string& path, const ModelFileOptions& options) {
  if (is_wandb_argument(path)) return;  // what it holds is known when it is here
  const bool is_run = model_kind(path) == ModelKind::kRun;
  if (!is_run && options.tokenizer.empty()) {
    throw UsageError("--tokenizer is missing (want the DIR that " + path +
                     " was trained with; a run directory holds it)");
  }
  if (is_run && !(options.tokenizer.empty() && options.config.empty())) {
    throw UsageError("--tokenizer and --config are for .pt and .safetensors files (got " + path +
                     ", a run directory, which holds its own)");
  }
}

ModelSetting model_setting(const TrainedModel& model, const std::string& path,
                           const ModelFileOptions& options) {
  ModelSetting out{model_of_tensors(model.weights, path, options.config),
                   Tokenizer::load(options.tokenizer)};
  const std::int64_t tokens = out.tokenizer.vocab_size();
  const std::int64_t rows = out.config.model.vocab_size;
  if (tokens > rows) {
    throw UserError(options.tokenizer + ": the tokenizer has more tokens than the model (got " +
                    std::to_string(tokens) + ", want at most " + std::to_string(rows) + ")");
  }
  if (options.config.empty()) {
    log_warning(path + " does not say its number of heads: taken as " +
                std::to_string(out.config.model.num_heads) +
                ", the original's; --config FILE says another");
  }
  return out;
}

}  // namespace linformer
