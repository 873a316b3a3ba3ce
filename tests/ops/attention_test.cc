// SPDX-License-Identifier: Apache-2.0
#include "ops/attention.h"

#include <gtest/gtest.h>

#include "support/tensors.h"

namespace linformer {
namespace {

AttentionInputs random_inputs(std::int64_t queries, std::int64_t keys) {
  AttentionInputs out;
  out.query_BHND = random_tensor({2, 3, queries, 4}, 1);
  out.key_BHSD = random_tensor({2, 3, keys, 4}, 2);
  out.value_BHSD = random_tensor({2, 3, keys, 4}, 3);
  return out;
}

/// The first sequence has `first` real keys, the second all.
at::Tensor leading_mask(std::int64_t first, std::int64_t keys) {
  at::Tensor mask = at::ones({2, 1, 1, keys}, at::TensorOptions(at::kBool));
  mask[0].narrow(2, first, keys - first).fill_(false);
  return mask;
}

std::vector<AttentionInputs> all_forms() {
  std::vector<AttentionInputs> out{random_inputs(5, 7), random_inputs(6, 6), random_inputs(5, 7)};
  out[1].causal = true;
  out[2].mask_B11S = leading_mask(4, 7);
  return out;
}

TEST(Attend, FusedAndUnfusedComputeTheSame) {
  for (AttentionInputs inputs : all_forms()) {
    const at::Tensor fused = attend(inputs);
    inputs.backend = AttentionBackend::kUnfused;
    const at::Tensor unfused = attend(inputs);
    EXPECT_LE(largest_difference(fused, unfused), 1e-12);
    inputs.backend = AttentionBackend::kUnfusedByHead;
    EXPECT_LE(largest_difference(attend(inputs), unfused), 1e-14);
  }
}

TEST(Attend, BothBackendsHaveTheGradientsOfFiniteDifferences) {
  const at::Tensor factor = random_tensor({2, 3, 6, 4}, 4);
  for (AttentionInputs inputs : all_forms()) {
    for (const AttentionBackend backend :
         {AttentionBackend::kAuto, AttentionBackend::kFused, AttentionBackend::kUnfused}) {
      inputs.backend = backend;
      for (at::Tensor AttentionInputs::*part :
           {&AttentionInputs::query_BHND, &AttentionInputs::key_BHSD,
            &AttentionInputs::value_BHSD}) {
        const auto loss = [&](const at::Tensor& x) {
          AttentionInputs moved = inputs;
          moved.*part = x;
          const at::Tensor out = attend(moved);
          return (out * factor.narrow(2, 0, out.size(2))).sum();
        };
        EXPECT_LE(largest_difference(autograd_gradient(loss, inputs.*part),
                                     numeric_gradient(loss, inputs.*part)),
                  1e-7);
      }
    }
  }
}

TEST(Attend, EqualScoresGiveTheMeanOfTheValuesThatMayBeSeen) {
  for (AttentionInputs inputs : all_forms()) {
    inputs.query_BHND = at::zeros_like(inputs.query_BHND);
    const at::Tensor out = attend(inputs);
    for (std::int64_t n = 0; n < out.size(2); ++n) {
      const std::int64_t seen = inputs.causal                ? n + 1
                                : inputs.mask_B11S.defined() ? 4
                                                             : inputs.key_BHSD.size(2);
      EXPECT_LE(
          largest_difference(out[0].select(1, n), inputs.value_BHSD[0].narrow(1, 0, seen).mean(1)),
          1e-12);
    }
  }
}

TEST(Attend, ACausalQuerySeesNoLaterKey) {
  for (const AttentionBackend backend :
       {AttentionBackend::kAuto, AttentionBackend::kFused, AttentionBackend::kUnfused}) {
    AttentionInputs inputs = random_inputs(6, 6);
    inputs.causal = true;
    inputs.backend = backend;
    const at::Tensor before = attend(inputs);
    inputs.key_BHSD.narrow(2, 4, 2).mul_(-3.0);
    inputs.value_BHSD.narrow(2, 4, 2).add_(9.0);
    const at::Tensor after = attend(inputs);
    EXPECT_EQ(largest_difference(before.narrow(2, 0, 4), after.narrow(2, 0, 4)), 0.0);
    EXPECT_GT(largest_difference(before.select(2, 4), after.select(2, 4)), 0.1);
  }
}

TEST(Attend, MaskedKeysChangeNothing) {
  for (const AttentionBackend backend :
       {AttentionBackend::kAuto, AttentionBackend::kFused, AttentionBackend::kUnfused}) {
    AttentionInputs inputs = random_inputs(5, 7);
    inputs.mask_B11S = leading_mask(4, 7);
    inputs.backend = backend;
    const at::Tensor before = attend(inputs);
    inputs.key_BHSD.narrow(2, 4, 3).add_(5.0);
    inputs.value_BHSD.narrow(2, 4, 3).add_(5.0);
    const at::Tensor after = attend(inputs);
    EXPECT_EQ(largest_difference(before[0], after[0]), 0.0);
    EXPECT_GT(largest_difference(before[1], after[1]), 0.1);
  }
}

TEST(Attend, ShapesThatDisagreeAreRefused) {
  const auto refused = [](const auto& spoil) {
    AttentionInputs inputs = random_inputs(5, 7);
    spoil(inputs);
    EXPECT_THROW(attend(inputs), c10::Error);
  };
  refused([](AttentionInputs& in) { in.query_BHND = in.query_BHND[0]; });
  refused([](AttentionInputs& in) { in.value_BHSD = in.value_BHSD.narrow(2, 0, 6); });
  refused([](AttentionInputs& in) { in.query_BHND = random_tensor({2, 3, 5, 6}, 1); });
  refused([](AttentionInputs& in) { in.query_BHND = random_tensor({1, 3, 5, 4}, 1); });
  refused([](AttentionInputs& in) { in.causal = true; });
  refused([](AttentionInputs& in) { in.mask_B11S = leading_mask(4, 6); });
  refused([](AttentionInputs& in) {
    in.query_BHND = random_tensor({2, 3, 7, 4}, 1);
    in.causal = true;
    in.mask_B11S = leading_mask(4, 7);
  });
}

}  // namespace
}  // namespace linformer
