// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/checkpoint_transaction.h"
#include "storage/manifest.h"
#include "storage/safetensors.h"

namespace linformer {

// Files of a generation. Translation needs the weights, the configuration and the tokenizer;
// resuming needs all.
inline constexpr std::string_view kWeightsFile = "model.safetensors";  // float32 parameters by name
inline constexpr std::string_view kOptimizerFile =
    "optimizer.safetensors";  // exp_avg.NAME, exp_avg_sq.NAME; with an average, trained.NAME
/// In front of the names of the weights that are trained, where the model's are their average.
inline constexpr std::string_view kTrainedPrefix = "trained.";
inline constexpr std::string_view kStateFile = "state.json";    // storage/json_state.h
inline constexpr std::string_view kConfigFile = "config.yaml";  // the resolved configuration
inline constexpr std::string_view kTokenizerFile = "tokenizer.json";
/// What translation needs of a generation.
inline constexpr std::array kInferenceFiles{kManifestFile, kWeightsFile, kConfigFile,
                                            kTokenizerFile};
inline constexpr std::string_view kBestFile = "best.json";  // in the run directory

/// Receives one line for every generation that was passed over: its path and why.
using RejectionReport = std::function<void(const std::string& reason)>;

/// How much of a generation is compared with its manifest.
enum class VerifyScope {
  kAll,        // every file: for resuming and `inspect`
  kInference,  // all but the optimizer's moments and the training state
};

/// Directories step-N of a run, newest (largest N) first; nothing is verified. Empty when there is
/// no such directory.
std::vector<Generation> list_generations(const std::string& run_directory);

/// Throws CheckpointError naming the file and both digests (or sizes), a missing file, a foreign or
/// newer manifest.
Manifest verify_generation(const std::string& path, VerifyScope scope = VerifyScope::kAll);

/// The newest generation that verifies, walking back over those that do not and naming each to
/// `report`. Throws CheckpointError 'no valid checkpoint in DIR (tried ...)'.
Generation newest_valid_generation(const std::string& run_directory, const RejectionReport& report,
                                   VerifyScope scope = VerifyScope::kAll);

/// Which generation did best at validation.
struct BestRecord {
  std::int64_t step = 0;
  std::string metric;  // "loss" or "bleu"
  double value = 0;
};

/// Writes RUN/best.json atomically. The generation of that step is then never pruned.
void mark_best(const std::string& run_directory, const BestRecord& best);

/// The content of best.json, or nothing when there is none. Throws CheckpointError when it is
/// damaged.
std::optional<BestRecord> read_best(const std::string& run_directory);

/// The generation that best.json names, or nothing; not verified.
std::optional<Generation> best_generation(const std::string& run_directory);

/// The generation that a checkpoint argument means: one generation (.../step-N, refused when
/// damaged), or a run directory: its best, then its newest, each verified for inference, damaged
/// ones named to `report`. Throws CheckpointError 'no valid checkpoint in DIR (tried ...)';
/// UserError for a file of another kind.
Generation resolve_checkpoint(const std::string& argument, const RejectionReport& report = {});

/// A file of tensors of one generation, after its SHA-256 was compared with the manifest and every
/// value was found finite. Throws CheckpointError.
SafetensorsFile load_tensors(const Generation& generation, std::string_view name);
/// Its weights.
SafetensorsFile load_weights(const Generation& generation);

/// Any small file of a generation (config.yaml, tokenizer.json, state.json), verified against the
/// manifest. Throws CheckpointError.
std::string read_generation_file(const Generation& generation, std::string_view name);

}  // namespace linformer
