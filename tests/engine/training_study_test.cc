// SPDX-License-Identifier: Apache-2.0
// tests/engine/lab_test.cc measures every kind of it.
#include "engine/training_study.h"

#include <gtest/gtest.h>

#include "engine/lab_plan.h"

namespace linformer {
namespace {

TEST(TrainingStudy, PlansTheMemoryThatAGpuTook) {
  // One H200, bfloat16: the peaks, in bytes, of a step over 8,192 tokens on either side.
  struct Measured {
    std::int64_t length;
    std::vector<double> peaks;  // vanilla unfused and fused, Linformer k = 32 unfused and fused
  };
  LabPlan plan;
  plan.model.vocab_size = 50272;
  plan.slots = {32};
  const DeviceChoice device{.device = at::kCPU, .dtype = at::kBFloat16, .description = "cpu"};
  const TrainingStudy study(lab_models(plan, false), device, 8192, /*has_ours=*/false);
  for (const Measured& measured : {Measured{512, {6.16e9, 5.11e9, 5.47e9, 5.13e9}},
                                   Measured{8192, {25.77e9, 5.12e9, 12.99e9, 5.20e9}}}) {
    const std::vector<CompareRow> rows = study.plan(measured.length);
    ASSERT_EQ(rows.size(), measured.peaks.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_NEAR(rows[i].needed_bytes, measured.peaks[i], 0.12 * measured.peaks[i])
          << rows[i].attention << " " << measured.length;
    }
  }
}

}  // namespace
}  // namespace linformer
