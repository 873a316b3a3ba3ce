// SPDX-License-Identifier: Apache-2.0
#include "ops/packed_attention.h"

#include <utility>

namespace linformer {
namespace {

at::Tensor as_batch_of_one(const at::Tensor& x_NHD) { return x_NHD.transpose(0, 1).unsqueeze(0); }

}  // namespace

bool prefers_attend_each(const PackedSequences& queries, const PackedSequences& keys,
                         std::int64_t width) {
  if (!queries.lengths_B.is_cpu()) return false;
  // Products of padded queries and keys that cost as much as a call, forward and backward.
  constexpr std::int64_t kCallProducts = 1 << 20;
  std::int64_t padded = queries.batch_size() * queries.max_length * keys.max_length;
  for (std::size_t b = 0; b < queries.lengths.size(); ++b) {
    padded -= queries.lengths[b] * keys.lengths[b];
  }
  return padded * width > queries.batch_size() * kCallProducts;
}

at::Tensor attend_each(const PackedAttentionInputs& in) {
  TORCH_CHECK(in.queries.batch_size() == in.keys.batch_size(), "queries of ",
              in.queries.batch_size(), " sequences, keys of ", in.keys.batch_size());
  // Splitting, unlike narrowing one by one, has a gradient that costs one concatenation.
  const auto queries = real_rows(in.query_THD, in.queries).split_with_sizes(in.queries.lengths);
  const auto keys = real_rows(in.key_SHD, in.keys).split_with_sizes(in.keys.lengths);
  const auto values = real_rows(in.value_SHD, in.keys).split_with_sizes(in.keys.lengths);
  std::vector<at::Tensor> outputs;
  outputs.reserve(queries.size());
  for (std::size_t b = 0; b < queries.size(); ++b) {
    AttentionInputs one;
    one.query_BHND = as_batch_of_one(queries[b]);
    one.key_BHSD = as_batch_of_one(keys[b]);
    one.value_BHSD = as_batch_of_one(values[b]);
    one.causal = in.causal;
    one.backend = in.backend;
    outputs.push_back(attend(one).squeeze(0).transpose(0, 1).flatten(1));
  }
  return with_all_rows(at::cat(outputs), in.queries);
}

}  // namespace linformer
