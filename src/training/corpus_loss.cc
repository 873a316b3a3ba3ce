// SPDX-License-Identifier: Apache-2.0
#include "training/corpus_loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "linformer/error.h"
#include "ops/head_consumer.h"
#include "training/device_batch.h"

namespace linformer {
namespace {

/// Indices grouped by length, longest targets first, at most `batch_tokens` real tokens on either
/// side of a group.
std::vector<std::vector<std::size_t>> length_groups(const std::vector<IdPair>& pairs,
                                                    std::int64_t batch_tokens) {
  std::vector<std::size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(pairs[a].target.size(), pairs[a].source.size()) >
           std::pair(pairs[b].target.size(), pairs[b].source.size());
  });
  std::vector<std::vector<std::size_t>> groups;
  std::int64_t source = 0;
  std::int64_t target = 0;
  for (const std::size_t i : order) {
    source += static_cast<std::int64_t>(pairs[i].source.size());
    target += static_cast<std::int64_t>(pairs[i].target.size());
    if (groups.empty() || source > batch_tokens || target > batch_tokens) {
      groups.emplace_back();
      source = static_cast<std::int64_t>(pairs[i].source.size());
      target = static_cast<std::int64_t>(pairs[i].target.size());
    }
    groups.back().push_back(i);
  }
  return groups;
}

}  // namespace

std::vector<IdPair> gather_pairs(const PairSet& pairs) {
  std::vector<IdPair> out(pairs.size());
  for (std::uint32_t i = 0; i < pairs.size(); ++i) {
    pairs.source(i, out[i].source);
    pairs.target(i, out[i].target);
  }
  return out;
}

CorpusLoss corpus_loss(Transformer& model, const std::vector<IdPair>& pairs,
                       std::int64_t batch_tokens, at::Device device) {
  const at::NoGradGuard no_grad;
  CorpusLoss out;
  out.pair_nll.resize(pairs.size());
  out.pair_tokens.resize(pairs.size());
  for (const std::vector<std::size_t>& group : length_groups(pairs, batch_tokens)) {
    HostBatch host;
    for (const std::size_t i : group) host.append(pairs[i].source, pairs[i].target);
    const DeviceBatch batch = make_batch(host, device);
    const at::Tensor hidden_TM =
        model.decode(batch.decoder_input, model.encode(batch.source), batch.source);
    const at::Tensor nll_T = consume_head({.hidden_TM = hidden_TM,
                                           .weight_VM = model.head_weight(),
                                           .bias_V = model.head_bias(),
                                           .targets_T = batch.labels_R},
                                          HeadOutput::kNll)
                                 .to(at::kCPU, at::kDouble);
    const double* value = nll_T.const_data_ptr<double>();
    for (std::size_t b = 0; b < group.size(); ++b) {
      const auto count = batch.decoder_input.lengths[b];
      const double sum = std::accumulate(value, value + count, 0.0);
      value += count;
      if (!std::isfinite(sum)) {
        throw DivergenceError("the loss of pair " + std::to_string(group[b] + 1) +
                              " is not finite (" + std::to_string(count) + " target tokens)");
      }
      out.pair_nll[group[b]] = sum;
      out.pair_tokens[group[b]] = count;
    }
  }
  out.nll_sum = std::accumulate(out.pair_nll.begin(), out.pair_nll.end(), 0.0);
  out.tokens = std::accumulate(out.pair_tokens.begin(), out.pair_tokens.end(), std::int64_t{0});
  return out;
}

}  // namespace linformer
