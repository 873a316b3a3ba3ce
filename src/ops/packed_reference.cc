// SPDX-License-Identifier: Apache-2.0
#include "ops/packed_reference.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace linformer {
namespace {

/// Lengths of the sequences that cover all of `rows`.
std::vector<std::int64_t> lengths_of(const at::Tensor& start_B1, std::int64_t rows) {
  const at::Tensor host_B1 = start_B1.to(at::kCPU, at::kLong).contiguous();
  const std::int64_t* starts = host_B1.const_data_ptr<std::int64_t>();
  const std::int64_t batch = host_B1.size(0) - 1;
  TORCH_CHECK(batch >= 0 && starts[0] == 0 && starts[batch] == rows, "starts from 0 to ", rows,
              " are wanted, the number of rows");
  std::vector<std::int64_t> out;
  for (std::int64_t b = 0; b < batch; ++b) {
    TORCH_CHECK(starts[b] <= starts[b + 1], "sequence ", b, " starts behind its end");
    out.push_back(starts[b + 1] - starts[b]);
  }
  return out;
}

at::Tensor starts_of(const std::vector<at::Tensor>& parts, at::Device device) {
  at::Tensor out_B1 = at::empty({static_cast<std::int64_t>(parts.size()) + 1}, at::kInt);
  std::int32_t* start = out_B1.mutable_data_ptr<std::int32_t>();
  start[0] = 0;
  for (std::size_t b = 0; b < parts.size(); ++b) {
    start[b + 1] = start[b] + static_cast<std::int32_t>(parts[b].size(0));
  }
  return out_B1.to(device);
}

ShortenedSequences shortened(const std::vector<at::Tensor>& parts, const at::Tensor& kv_T2M,
                             std::int64_t slots) {
  return {.key_value_S2M = parts.empty() ? at::zeros_like(kv_T2M) : at::cat(parts),
          .slot_start_B1 = starts_of(parts, kv_T2M.device()),
          .max_slots = slots};
}

at::Tensor as_batch_of_one(const at::Tensor& x_NHD) { return x_NHD.transpose(0, 1).unsqueeze(0); }

/// Of one sequence: diag(1/c) E[:, :n] K beside the same of F and V.
at::Tensor project_one(const at::Tensor& kv_N2M, const at::Tensor& E_KN, const at::Tensor& F_KN,
                       bool all_slots) {
  const std::int64_t tokens = kv_N2M.size(0);
  const std::int64_t slots = all_slots ? E_KN.size(0) : std::min(tokens, E_KN.size(0));
  const auto sliced = [&](const at::Tensor& matrix_KN) {
    return matrix_KN.narrow(0, 0, slots).narrow(1, 0, tokens);
  };
  const auto parts = kv_N2M.chunk(2, 1);
  const at::Tensor out_S2M =
      at::cat({at::mm(sliced(E_KN), parts[0]), at::mm(sliced(F_KN), parts[1])}, 1);
  if (all_slots) return out_S2M;
  // c_i = #{j < n: j mod K = i} = ceil((n - i) / K)
  const at::Tensor behind_S1 = tokens - at::arange(slots, E_KN.device()).unsqueeze(1);
  return out_S2M / (behind_S1 + (E_KN.size(0) - 1)).div(E_KN.size(0), "floor");
}

/// Of one sequence of more than `slots` tokens.
at::Tensor pool_one(const at::Tensor& kv_N2M, const at::Tensor& scores_NH, std::int64_t slots) {
  const std::int64_t tokens = kv_N2M.size(0);
  const at::Tensor token_N = at::arange(tokens, kv_N2M.device());
  const at::Tensor slot_of_N = (token_N * slots).div(tokens, "floor");
  const at::Tensor elsewhere_SN =
      slot_of_N.unsqueeze(0) != at::arange(slots, kv_N2M.device()).unsqueeze(1);
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const at::Tensor share_HSN =
      scores_NH.t().unsqueeze(1).masked_fill(elsewhere_SN, kNever).softmax(-1);
  const std::int64_t heads = scores_NH.size(1);
  const at::Tensor kv_HN2D = kv_N2M.unflatten(1, {2, heads, -1}).permute({2, 0, 1, 3}).flatten(2);
  return at::matmul(share_HSN, kv_HN2D).unflatten(2, {2, -1}).permute({1, 2, 0, 3}).flatten(1);
}

}  // namespace

at::Tensor attend_each_by_starts(const at::Tensor& query_THD, const at::Tensor& key_SHD,
                                 const at::Tensor& value_SHD, const AttentionStarts& starts,
                                 bool causal) {
  const auto query_lengths = lengths_of(starts.query_B1, query_THD.size(0));
  const auto key_lengths = lengths_of(starts.key_B1, key_SHD.size(0));
  TORCH_CHECK(query_lengths.size() == key_lengths.size(), "queries of ", query_lengths.size(),
              " sequences, keys of ", key_lengths.size());
  const auto queries = query_THD.split_with_sizes(query_lengths);
  const auto keys = key_SHD.split_with_sizes(key_lengths);
  const auto values = value_SHD.split_with_sizes(key_lengths);
  std::vector<at::Tensor> outputs;
  for (std::size_t b = 0; b < queries.size(); ++b) {
    if (query_lengths[b] == 0) continue;
    if (key_lengths[b] == 0) {
      outputs.push_back(at::zeros_like(queries[b]).flatten(1));
      continue;
    }
    AttentionInputs one;
    one.query_BHND = as_batch_of_one(queries[b]);
    one.key_BHSD = as_batch_of_one(keys[b]);
    one.value_BHSD = as_batch_of_one(values[b]);
    one.causal = causal;
    outputs.push_back(attend(one).squeeze(0).transpose(0, 1).flatten(1));
  }
  return outputs.empty() ? at::zeros_like(query_THD).flatten(1) : at::cat(outputs);
}

ShortenedSequences project_each_length(const at::Tensor& kv_T2M, const at::Tensor& E_KN,
                                       const at::Tensor& F_KN, const at::Tensor& start_B1,
                                       bool all_slots) {
  TORCH_CHECK(E_KN.sizes() == F_KN.sizes(), "E is ", E_KN.sizes(), ", F is ", F_KN.sizes());
  std::vector<at::Tensor> parts;
  for (const at::Tensor& kv_N2M : kv_T2M.split_with_sizes(lengths_of(start_B1, kv_T2M.size(0)))) {
    TORCH_CHECK(kv_N2M.size(0) <= E_KN.size(1), "a sequence of ", kv_N2M.size(0),
                " tokens, E and F of ", E_KN.size(1), " columns");
    parts.push_back(project_one(kv_N2M, E_KN, F_KN, all_slots));
  }
  return shortened(parts, kv_T2M, E_KN.size(0));
}

ShortenedSequences pool_each_segment(const at::Tensor& kv_T2M, const at::Tensor& scores_TH,
                                     const at::Tensor& start_B1, std::int64_t slots) {
  const auto lengths = lengths_of(start_B1, kv_T2M.size(0));
  const auto tokens = kv_T2M.split_with_sizes(lengths);
  const auto scores = scores_TH.split_with_sizes(lengths);
  std::vector<at::Tensor> parts;
  for (std::size_t b = 0; b < tokens.size(); ++b) {
    parts.push_back(lengths[b] <= slots ? tokens[b] : pool_one(tokens[b], scores[b], slots));
  }
  return shortened(parts, kv_T2M, slots);
}

}  // namespace linformer
