// SPDX-License-Identifier: Apache-2.0
#include "training/train_step.h"

#include <limits>
#include <numeric>

#include "base/fault.h"
#include "data/batch_sampler.h"
#include "ops/linear_cross_entropy.h"

namespace linformer {

std::vector<IdPair> gather_pairs(const PairSet& pairs, std::span<const std::uint32_t> indices) {
  std::vector<IdPair> out(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    pairs.source(indices[i], out[i].source);
    pairs.target(indices[i], out[i].target);
  }
  return out;
}

std::vector<IdPair> gather_pairs(const PairSet& pairs) {
  std::vector<std::uint32_t> all(pairs.size());
  std::iota(all.begin(), all.end(), 0U);
  return gather_pairs(pairs, all);
}

StepSums accumulate_gradients(Transformer& model, const PairSet& pairs,
                              std::span<const std::vector<std::uint32_t>> micro_batches,
                              double label_smoothing, std::uint64_t seed, std::int64_t step,
                              at::Device device) {
  at::manual_seed(
      SplitMix64(seed ^ (static_cast<std::uint64_t>(step) * 0x9E3779B97F4A7C15ULL)).next());
  StepSums sums;
  for (const auto& indices : micro_batches) {
    for (const std::uint32_t i : indices) sums.target_tokens += pairs.target_lengths()[i] - 1;
  }
  const ForwardOptions options{.training = true};
  for (const auto& indices : micro_batches) {
    const DeviceBatch batch = make_batch(gather_pairs(pairs, indices), device);
    const at::Tensor memory_TM = model.encode(batch.source, options);
    LinearCrossEntropyInputs inputs;
    inputs.hidden_TM = model.decode(batch.decoder_input, memory_TM, batch.source, options);
    inputs.weight_VM = model.head_weight();
    inputs.bias_V = model.head_bias();
    inputs.targets_T = batch.labels_T;
    inputs.label_smoothing = label_smoothing;
    inputs.scale = 1.0 / static_cast<double>(sums.target_tokens);
    const LinearCrossEntropyResult result = linear_cross_entropy(inputs);
    result.loss.backward();
    sums.nll_sum = sums.nll_sum.defined() ? sums.nll_sum + result.nll_sum : result.nll_sum;
    sums.source_tokens += batch.source_tokens;
  }
  if (fault_nan("loss")) sums.nll_sum.fill_(std::numeric_limits<double>::quiet_NaN());
  return sums;
}

}  // namespace linformer
