// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "config/printer.h"
#include "storage/checkpoint_directory.h"
#include "support/byte_tokenizer.h"
#include "support/tiny_model.h"
#include "training/weights.h"

namespace linformer {

/// Rows of a tiny model that serves byte_tokenizer().
inline constexpr std::int64_t kByteVocabulary = 264;

/// The run configuration that a run of the tiny model would save.
inline RunConfig tiny_run_config(const std::string& kind) {
  RunConfig config;
  config.model = tiny_config(kind, kByteVocabulary);
  config.compatibility = config.model.compatibility;
  config.data.max_length = config.model.max_length;
  return config;
}

struct TinyCheckpoint {
  std::uint64_t seed = 7;
  std::int64_t step = 1;
  std::function<void(ParameterStore&)> change;  // of the weights before they are saved
};

/// Saves a tiny model of `kind` with random weights as RUN/step-N and returns that path.
inline std::string save_tiny_checkpoint(const std::string& run, const std::string& kind,
                                        const TinyCheckpoint& options = {}) {
  const TinyModel tiny(tiny_config(kind, kByteVocabulary), at::kFloat, options.seed);
  const at::NoGradGuard no_grad;
  if (options.change) options.change(*tiny.store);
  const HostTensors weights = host_weights(*tiny.store);
  std::filesystem::create_directories(run);
  CheckpointTransaction save(run, options.step);
  save.add(std::string(kWeightsFile), weights.views());
  save.add_text(std::string(kConfigFile), print_config(tiny_run_config(kind)));
  save.add_text(std::string(kTokenizerFile), byte_tokenizer().to_json());
  save.add_text(std::string(kStateFile), "{}\n");
  return save.commit().generation.path;
}

}  // namespace linformer
