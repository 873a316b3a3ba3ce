// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "config/model_config.h"

namespace linformer {

/// Lengths of one study, and how much of the time it and the studies before it may take.
struct StudyPlan {
  std::vector<std::int64_t> lengths;
  std::int64_t tokens = 0;  // of a batch on one side, which has at least one sentence
  double share = 0;
};

/// What a scaling lab measures.
struct LabPlan {
  ModelConfig model;                // a Linformer's sizes; vanilla is measured beside it
  std::vector<std::int64_t> slots;  // k of the Linformers
  double minutes = 0;
  StudyPlan encoder;
  StudyPlan encoder_decoder;
  StudyPlan training_step;
  StudyPlan decoding;
  bool has_ours_in_training = false;  // a step of its own, recorded on a GPU

  /// The longest length of any study.
  std::int64_t longest() const;
};

/// The default plan: the original's model in its base size (6 layers of 512), on a GPU with its
/// 50,272 tokens and lengths up to 65,536, on a CPU with 8,192 and up to 2,048. `minutes`: 0 = 10
/// on a CPU, 9 on a GPU.
LabPlan lab_plan(bool is_gpu, double minutes);

/// The vanilla model of the plan and its Linformers, encoder-only or not.
std::vector<ModelConfig> lab_models(const LabPlan& plan, bool is_encoder_only);

}  // namespace linformer
