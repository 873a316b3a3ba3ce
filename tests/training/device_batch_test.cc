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

HostBatch two_pairs() {
  HostBatch out;
  out.append(std::vector<std::int32_t>{0, 7, 2}, std::vector<std::int32_t>{0, 5, 6, 2});
  out.append(std::vector<std::int32_t>{0, 8, 9, 4, 2}, std::vector<std::int32_t>{0, 2});
  return out;
}

TEST(DeviceBatch, HoldsTheIdsAndTheirPlaces) {
  const DeviceBatch batch = make_batch(two_pairs(), at::kCPU);
  EXPECT_EQ(values(batch.source.ids_T), (Ids{0, 7, 2, 0, 8, 9, 4, 2}));
  EXPECT_EQ(batch.source.lengths, (Ids{3, 5}));
  EXPECT_EQ(values(batch.decoder_input.ids_T), (Ids{0, 5, 6, 0}));
  EXPECT_EQ(batch.decoder_input.lengths, (Ids{3, 1}));
  EXPECT_EQ(values(batch.labels_R), (Ids{5, 6, 2, 2}));
}

TEST(DeviceBatch, HasTheRowsOfItsCapacity) {
  HostBatch host = two_pairs();
  host.capacity = {.source_tokens = 10, .target_tokens = 7, .pairs = 5};
  const DeviceBatch batch = make_batch(host, at::kCPU);
  EXPECT_EQ(values(batch.source.ids_T), (Ids{0, 7, 2, 0, 8, 9, 4, 2, 0, 0}));
  EXPECT_EQ(batch.source.num_tokens, 8);
  EXPECT_EQ(values(batch.decoder_input.ids_T), (Ids{0, 5, 6, 0, 0, 0, 0}));
  EXPECT_EQ(values(batch.labels_R), (Ids{5, 6, 2, 2}));
}

TEST(DeviceBatch, OwnsItsTensors) {
  HostBatch host = two_pairs();
  const DeviceBatch batch = make_batch(host, at::kCPU);
  host.labels.assign(host.labels.size(), 77);
  EXPECT_EQ(values(batch.labels_R), (Ids{5, 6, 2, 2}));
}

}  // namespace
}  // namespace linformer
