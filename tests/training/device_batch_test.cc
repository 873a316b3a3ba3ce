// SPDX-License-Identifier: Apache-2.0
#include "training/device_batch.h"

#include <gtest/gtest.h>

namespace linformer {
namespace {

std::vector<std::int64_t> values(const at::Tensor& tensor) {
  const std::int64_t* first = tensor.const_data_ptr<std::int64_t>();
  return {first, first + tensor.numel()};
}

using Ids = std::vector<std::int64_t>;

const std::vector<IdPair> kPairs{{{0, 7, 2}, {0, 5, 6, 2}}, {{0, 8, 9, 4, 2}, {0, 2}}};

TEST(DeviceBatch, LabelsAreTheDecoderInputsShiftedByOne) {
  const DeviceBatch batch = make_batch(kPairs, at::kCPU);
  EXPECT_EQ(values(batch.decoder_input.ids_T), (Ids{0, 5, 6, 0}));
  EXPECT_EQ(values(batch.labels_T), (Ids{5, 6, 2, 2}));
  EXPECT_EQ(batch.decoder_input.lengths, (Ids{3, 1}));
}

TEST(DeviceBatch, SourceIsWhole) {
  const DeviceBatch batch = make_batch(kPairs, at::kCPU);
  EXPECT_EQ(values(batch.source.ids_T), (Ids{0, 7, 2, 0, 8, 9, 4, 2}));
  EXPECT_EQ(batch.source.lengths, (Ids{3, 5}));
}

TEST(DeviceBatch, CountsAreOfRealTokens) {
  const DeviceBatch batch = make_batch(kPairs, at::kCPU);
  EXPECT_EQ(batch.source_tokens, 8);
  EXPECT_EQ(batch.target_tokens, 4);
}

TEST(DeviceBatch, OwnsItsTensors) {
  std::vector<IdPair> pairs = kPairs;
  const DeviceBatch batch = make_batch(pairs, at::kCPU);
  pairs.assign(2, {{0, 2}, {0, 2}});
  const at::Tensor other = at::full({64}, 77, at::kLong);
  EXPECT_EQ(values(batch.labels_T), (Ids{5, 6, 2, 2}));
}

TEST(DeviceBatch, TargetWithoutAnythingToPredictIsRefused) {
  const std::vector<IdPair> pairs{{{0, 2}, {0}}};
  EXPECT_THROW(make_batch(pairs, at::kCPU), c10::Error);
}

}  // namespace
}  // namespace linformer
