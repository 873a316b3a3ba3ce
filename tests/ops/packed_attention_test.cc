// SPDX-License-Identifier: Apache-2.0
#include "ops/packed_attention.h"

#include <gtest/gtest.h>

#include <numeric>

#include "support/tensors.h"

namespace linformer {
namespace {

constexpr std::int64_t kHeads = 2;
constexpr std::int64_t kWidth = 6;

PackedSequences sequences_of(const std::vector<std::int64_t>& lengths) {
  const std::vector<std::int64_t> ids(
      static_cast<std::size_t>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})));
  return pack_sequences(ids, lengths, at::kCPU);
}

at::Tensor heads_of(const at::Tensor& x_TM) { return x_TM.unflatten(1, {kHeads, -1}); }

at::Tensor padded_heads(const at::Tensor& x_TM, const PackedSequences& sequences) {
  return heads_of(unpack(x_TM, sequences).flatten(0, 1))
      .unflatten(0, {sequences.batch_size(), sequences.max_length})
      .transpose(1, 2);
}

at::Tensor attend_each_of(const at::Tensor& query_TM, const at::Tensor& key_SM,
                          const at::Tensor& value_SM, const PackedSequences& queries,
                          const PackedSequences& keys, bool causal) {
  return attend_each({.query_THD = heads_of(query_TM),
                      .key_SHD = heads_of(key_SM),
                      .value_SHD = heads_of(value_SM),
                      .queries = queries,
                      .keys = keys,
                      .causal = causal});
}

at::Tensor attend_padded(const at::Tensor& query_TM, const at::Tensor& key_SM,
                         const at::Tensor& value_SM, const PackedSequences& queries,
                         const PackedSequences& keys, bool causal) {
  AttentionInputs inputs;
  inputs.query_BHND = padded_heads(query_TM, queries);
  inputs.key_BHSD = padded_heads(key_SM, keys);
  inputs.value_BHSD = padded_heads(value_SM, keys);
  inputs.causal = causal;
  if (!causal) inputs.mask_B11S = keys.mask_BN.unsqueeze(1).unsqueeze(1);
  return repack(attend(inputs).transpose(1, 2).flatten(2), queries);
}

TEST(AttendEach, ComputesWhatPaddedAttentionComputes) {
  const PackedSequences queries = sequences_of({3, 1, 5});
  const PackedSequences keys = sequences_of({2, 6, 1});
  const at::Tensor query = random_tensor({9, kWidth}, 1);
  const at::Tensor key = random_tensor({9, kWidth}, 2);
  const at::Tensor value = random_tensor({9, kWidth}, 3);
  EXPECT_LE(largest_difference(attend_each_of(query, key, value, queries, keys, false),
                               attend_padded(query, key, value, queries, keys, false)),
            1e-12);
  EXPECT_LE(largest_difference(attend_each_of(query, key, value, queries, queries, true),
                               attend_padded(query, key, value, queries, queries, true)),
            1e-12);
}

TEST(AttendEach, HasTheGradientsOfFiniteDifferences) {
  const PackedSequences sequences = sequences_of({3, 1, 2});
  const at::Tensor factor = random_tensor({6, kWidth}, 4);
  for (std::int64_t part = 0; part < 3; ++part) {
    const auto loss = [&](const at::Tensor& x) {
      std::vector<at::Tensor> qkv{random_tensor({6, kWidth}, 1), random_tensor({6, kWidth}, 2),
                                  random_tensor({6, kWidth}, 3)};
      qkv[static_cast<std::size_t>(part)] = x;
      return (attend_each_of(qkv[0], qkv[1], qkv[2], sequences, sequences, true) * factor).sum();
    };
    const at::Tensor x = random_tensor({6, kWidth}, 5);
    EXPECT_LE(largest_difference(autograd_gradient(loss, x), numeric_gradient(loss, x)), 1e-7);
  }
}

TEST(AttendEach, RefusesKeysOfOtherSequences) {
  const at::Tensor x = random_tensor({4, kWidth}, 1);
  const PackedSequences two = sequences_of({1, 3});
  const PackedSequences one = sequences_of({4});
  EXPECT_THROW(attend_each_of(x, x, x, two, one, false), c10::Error);
}

TEST(PrefersAttendEach, WherePadsCostMoreThanCalls) {
  const PackedSequences ragged = sequences_of({200, 10, 10, 10});
  const PackedSequences even = sequences_of({200, 190, 195, 199});
  EXPECT_TRUE(prefers_attend_each(ragged, ragged, 512));
  EXPECT_FALSE(prefers_attend_each(ragged, ragged, 8));
  EXPECT_FALSE(prefers_attend_each(sequences_of({200, 200}), sequences_of({200, 200}), 512));
  EXPECT_FALSE(prefers_attend_each(even, even, 128));
}

}  // namespace
}  // namespace linformer
