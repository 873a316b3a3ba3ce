// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "cli/options.h"
#include "config/run_config.h"
#include "model/parameter_store.h"
#include "model/transformer.h"
#include "ops/device.h"
#include "storage/checkpoint_directory.h"
#include "text/tokenizer.h"

namespace linformer {

/// A checkpoint's model on its device, ready to translate.
struct LoadedModel {
  Generation generation;  // of a file: its path and the optimizer's steps
  RunConfig config;
  DeviceChoice device;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<Transformer> model;
};

/// Loads what a checkpoint argument means (local_checkpoint; a .pt or .safetensors file, whose
/// tokenizer and configuration `file_options` name, else resolve_checkpoint; damaged generations
/// are named on stderr) onto the device and dtype that `common` asks for. Throws CheckpointError
/// for weights that do not belong to the configuration (tensor, found, wanted), that are not
/// finite, and for a vocabulary that does not fit; UsageError for a file without a tokenizer, an
/// encoder-only model and devices that do not exist.
LoadedModel load_model(const std::string& argument, const CommonOptions& common,
                       const ModelFileOptions& file_options = {});

}  // namespace linformer
