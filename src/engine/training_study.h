// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "engine/forward_pass.h"
#include "engine/length_study.h"

namespace linformer {

/// Whole training steps (forward, backward, Adam) over sentences of one length on both sides: of
/// each model the paths kUnfused and kFused, and kOurs (training/packed_step.h) where it is asked
/// for and the device has it. Each row builds its model, whose peak covers weights, moments,
/// gradients and activations.
class TrainingStudy final : public LengthStudy {
 public:
  TrainingStudy(const std::vector<ModelConfig>& models, const DeviceChoice& device,
                std::int64_t tokens, bool has_ours);

  std::vector<CompareRow> plan(std::int64_t length) const override;
  std::vector<CompareRow> measure(std::int64_t length, const TimeBudget& budget) override;

 private:
  void measure_row(const CompareKind& kind, CompareRow& row, const TimeBudget& budget) const;

  DeviceChoice device_;
  std::int64_t tokens_;
  std::vector<CompareKind> kinds_;
};

}  // namespace linformer
