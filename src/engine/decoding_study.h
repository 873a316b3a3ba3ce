// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "engine/forward_pass.h"
#include "engine/length_study.h"

namespace linformer {

/// Decoding steps against the kept keys and values of sources of one length: of each model one row,
/// "fused", whose times are of one step of `batch` hypotheses each, beginning with their second
/// token. Its peak covers weights, kept keys and values and what making them took.
class DecodingStudy final : public LengthStudy {
 public:
  DecodingStudy(const std::vector<ModelConfig>& models, const DeviceChoice& device,
                std::int64_t batch);

  std::vector<CompareRow> plan(std::int64_t length) const override;
  std::vector<CompareRow> measure(std::int64_t length, const TimeBudget& budget) override;

 private:
  DeviceChoice device_;
  std::int64_t batch_;
  std::vector<ModelConfig> configs_;
  std::vector<std::unique_ptr<RandomModel>> models_;  // null until it is measured
};

}  // namespace linformer
