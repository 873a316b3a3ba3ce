// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/checkpoint_transaction.h"
#include "storage/safetensors.h"

namespace linformer {

/// What a run that was not trained here holds: one generation.
struct NewRun {
  std::int64_t step = 0;
  std::vector<TensorView> weights;
  TensorMetadata metadata;          // of the weights
  std::vector<TensorView> moments;  // empty = none known
  std::string state_json;           // empty = none known
  std::string config_yaml;
  std::string tokenizer_json;
};

/// Writes the run directory `path`, which must not exist, whole or not at all: under a temporary
/// name beside it, then renamed. Throws IoError (before anything is written where the disk has no
/// room for it), Interrupted, UserError as RunDirectory::create; what was written is then removed.
CommitResult write_new_run(const std::string& path, const NewRun& content);

}  // namespace linformer
