// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/torch_checkpoint.h"

namespace linformer {

/// What a checkpoint of the original and a generation of ours have in common. Names and shapes of
/// the parameters are the same in both, so that nothing is renamed, transposed or split; the
/// optimizer's moments go by number there and by name here.
struct TrainedModel {
  std::vector<TensorView> weights;
  std::vector<TensorView> moments;  // exp_avg.NAME and exp_avg_sq.NAME; empty = none known
  std::int64_t steps = 0;           // of the optimizer
  std::int64_t epoch = 0;           // 0-based, the epoch that comes next
};

/// Adam's settings, as its state_dict repeats them.
struct AdamSettings {
  double learning_rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// Reads model_state_dict, optimizer_state_dict and the epoch of training_loop_state_dict; of these
/// the first alone must be there, and a file may also be a state_dict itself. Views last as long as
/// `file`. Throws CheckpointError naming file and entry for what does not fit together.
TrainedModel read_original_checkpoint(TorchFile& file);

/// Writes a file that the original and torch.load(weights_only=True) read: weights in the order in
/// which the original registers them (its optimizer counts by it). Returns the size. Throws as
/// TorchFileWriter::commit, CheckpointError for moments of an unknown parameter.
std::uint64_t write_original_checkpoint(const std::string& path, const TrainedModel& model,
                                        const AdamSettings& adam);

}  // namespace linformer
