// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "storage/checkpoint_directory.h"

namespace linformer {

/// Saves a generation of the real layout in a kilobyte. Every value tells the step.
inline CommitResult save_small_checkpoint(const std::string& run, std::int64_t step,
                                          std::int64_t keep = 2) {
  const std::vector<float> weights(8, static_cast<float>(step));
  const std::string_view bytes(reinterpret_cast<const char*>(weights.data()), 32);
  const TensorView weight{.name = "w", .shape = {2, 4}, .bytes = bytes};
  const std::vector<TensorView> moments{{.name = "exp_avg.w", .shape = {2, 4}, .bytes = bytes},
                                        {.name = "exp_avg_sq.w", .shape = {2, 4}, .bytes = bytes}};
  CheckpointTransaction save(run, step);
  save.add(std::string(kWeightsFile), std::span(&weight, 1));
  save.add(std::string(kOptimizerFile), moments);
  save.add_text(std::string(kStateFile), "{\n  \"step\": " + std::to_string(step) + "\n}\n");
  save.add_text(std::string(kConfigFile), "seed: 1\n");
  save.add_text(std::string(kTokenizerFile), "{}\n");
  return save.commit(keep);
}

}  // namespace linformer
