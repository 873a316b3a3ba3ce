// SPDX-License-Identifier: Apache-2.0
#include "engine/lab_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace linformer {
namespace {

TEST(LabPlan, IsTheOriginalsModelInItsBaseSize) {
  for (const bool is_gpu : {false, true}) {
    const LabPlan plan = lab_plan(is_gpu, 0);
    EXPECT_EQ(plan.minutes, is_gpu ? 9 : 10);
    EXPECT_TRUE(plan.model.compatibility);
    EXPECT_EQ(plan.model.model_dim, 512);
    EXPECT_EQ(plan.model.num_layers, 6);
    EXPECT_EQ(plan.model.dropout, 0.0);
    EXPECT_EQ(plan.model.max_length, is_gpu ? 65536 : 2048) << "E and F serve every length";
  }
  EXPECT_EQ(lab_plan(true, 3).minutes, 3);
}

TEST(LabPlan, StudiesShareTheTimeOneAfterAnother) {
  for (const bool is_gpu : {false, true}) {
    const LabPlan plan = lab_plan(is_gpu, 0);
    double before = 0;
    for (const StudyPlan* study :
         {&plan.encoder, &plan.encoder_decoder, &plan.training_step, &plan.decoding}) {
      EXPECT_GT(study->share, before);
      EXPECT_LT(study->share, 1.0);
      before = study->share;
      EXPECT_EQ(study->lengths.front(), 256);
      EXPECT_TRUE(std::is_sorted(study->lengths.begin(), study->lengths.end()));
    }
  }
}

TEST(LabModels, AreVanillaAndALinformerForEveryK) {
  const LabPlan plan = lab_plan(false, 0);
  const std::vector<ModelConfig> models = lab_models(plan, true);
  ASSERT_EQ(models.size(), 1 + plan.slots.size());
  EXPECT_FALSE(models[0].is_linformer());
  EXPECT_EQ(models[1].projected_length, plan.slots[0]);
  EXPECT_TRUE(models[1].encoder_only);
  EXPECT_FALSE(lab_models(plan, false)[0].encoder_only);
}

}  // namespace
}  // namespace linformer
