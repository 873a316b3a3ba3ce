// SPDX-License-Identifier: Apache-2.0
// On a CPU; tests/cuda compares the GPU's kernels with it.
#include "ops/layer_norm.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

const at::Tensor kWeight = random_tensor({6}, 1);
const at::Tensor kBias = random_tensor({6}, 2);

at::Tensor by_definition(const at::Tensor& x_TM) {
  const at::Tensor mean = x_TM.mean(1, true);
  const at::Tensor variance = (x_TM - mean).pow(2).mean(1, true);
  return (x_TM - mean) / (variance + 1e-5).sqrt() * kWeight + kBias;
}

TEST(LayerNorm, IsItsDefinition) {
  const at::Tensor x_TM = random_tensor({5, 6}, 3);
  EXPECT_LT(largest_difference(layer_norm(x_TM, kWeight, kBias, 1e-5), by_definition(x_TM)), 1e-12);
}

TEST(LayerNorm, PassesItsInputOn) {
  const at::Tensor x_TM = random_tensor({5, 6}, 3);
  const AddedNorm out = add_layer_norm(x_TM, {}, kWeight, kBias, 1e-5);
  EXPECT_LT(largest_difference(out.out_TM, by_definition(x_TM)), 1e-12);
  EXPECT_EQ(largest_difference(out.sum_TM, x_TM), 0.0);
}

TEST(LayerNorm, OfASumForThreeReaders) {
  const at::Tensor x_TM = random_tensor({5, 6}, 3);
  const at::Tensor y_TM = random_tensor({5, 6}, 4);
  const AddedNorm out = add_layer_norm(x_TM, {.y_TM = y_TM}, kWeight, kBias, 1e-5);
  EXPECT_LT(largest_difference(out.out_TM, by_definition(x_TM + y_TM)), 1e-12);
  EXPECT_EQ(largest_difference(out.again_TM, out.out_TM), 0.0);
  EXPECT_EQ(largest_difference(out.sum_TM, x_TM + y_TM), 0.0);
}

TEST(LayerNorm, DropsFromWhatIsAddedAndFromNothingElse) {
  const at::Tensor x_TM = random_tensor({40, 6}, 3);
  const at::Tensor y_TM = at::ones_like(x_TM);
  const AddedNorm out = add_layer_norm(x_TM, {y_TM, 0.75}, kWeight, kBias, 1e-5);
  const at::Tensor added = out.sum_TM - x_TM;
  EXPECT_LE((added * (added - 4)).abs().max().item<double>(), 1e-12) << "dropped or four times";
  EXPECT_NEAR(added.mean().item<double>(), 1.0, 0.5);
  EXPECT_LT(largest_difference(out.out_TM, by_definition(out.sum_TM)), 1e-12);
  EXPECT_THROW(add_layer_norm(x_TM, {y_TM, 1.0}, kWeight, kBias, 1e-5), c10::Error);
}

TEST(LayerNorm, GradientsOfAllReadersAddUp) {
  const at::Tensor y_TM = random_tensor({4, 6}, 4);
  const at::Tensor upstream = random_tensor({4, 6}, 5);
  const auto function = [&](const at::Tensor& x_TM) {
    const AddedNorm added = add_layer_norm(x_TM, {.y_TM = y_TM}, kWeight, kBias, 1e-5);
    const AddedNorm passed = add_layer_norm(added.out_TM, {}, kWeight, kBias, 1e-5);
    return (passed.out_TM * upstream + passed.sum_TM.pow(2) + added.again_TM * y_TM).sum();
  };
  const at::Tensor x_TM = random_tensor({4, 6}, 3);
  EXPECT_LT(largest_difference(autograd_gradient(function, x_TM), numeric_gradient(function, x_TM)),
            1e-7);
}

}  // namespace
}  // namespace linformer
