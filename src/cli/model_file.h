// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/options.h"
#include "config/run_config.h"
#include "storage/original_checkpoint.h"
#include "storage/safetensors.h"
#include "text/tokenizer.h"

namespace linformer {

enum class ModelKind { kTorch, kSafetensors, kRun };

/// What a path names: a .pt of PyTorch, a .safetensors file, else a run directory.
ModelKind model_kind(std::string_view path);

/// The model of a .pt or .safetensors file. Throws UserError for a file that cannot be opened,
/// CheckpointError and DataError naming file and place for one that is not well formed, whose
/// pickle asks for more than tensors, or that holds values that are not finite.
class ModelFile {
 public:
  explicit ModelFile(const std::string& path);
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;

  TrainedModel model;  // views into this object

 private:
  std::optional<TorchFile> torch_;
  std::optional<SafetensorsFile> safetensors_;
};

/// What such a file does not say about its model.
struct ModelSetting {
  RunConfig config;
  Tokenizer tokenizer;
};

/// Throws UsageError for a model file without a tokenizer, and for a run directory with one: it
/// holds its own. A run of W&B may hold either: the engine asks again for what it has fetched.
void check_model_options(const std::string& path, const ModelFileOptions& options);

/// The tokenizer of `options` and the configuration as model_of_tensors; a number of heads that is
/// assumed is said on stderr. Throws as these, and UserError for more tokens than the model has.
ModelSetting model_setting(const TrainedModel& model, const std::string& path,
                           const ModelFileOptions& options);

}  // namespace linformer
