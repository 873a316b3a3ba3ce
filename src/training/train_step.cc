// SPDX-License-Identifier: Apache-2.0
#include "training/train_step.h"

#include <limits>

#include "base/fault.h"
#include "ops/linear_cross_entropy.h"
#include "training/device_batch.h"

namespace linformer {

StepSums accumulate_gradients(Transformer& model, const StepBatches& batches,
                              double label_smoothing, at::Device device) {
  StepSums sums;
  sums.target_tokens = batches.target_tokens;
  const ForwardOptions options{.training = true};
  for (const HostBatch& host : batches.batches) {
    const DeviceBatch batch = make_batch(host, device);
    const at::Tensor memory_TM = model.encode(batch.source, options);
    LinearCrossEntropyInputs inputs;
    inputs.hidden_TM = real_rows(
        model.decode(batch.decoder_input, memory_TM, batch.source, options), batch.decoder_input);
    inputs.weight_VM = model.head_weight();
    inputs.bias_V = model.head_bias();
    inputs.targets_T = batch.labels_R;
    inputs.label_smoothing = label_smoothing;
    inputs.scale = 1.0 / static_cast<double>(sums.target_tokens);
    const LinearCrossEntropyResult result = linear_cross_entropy(inputs);
    result.loss.backward();
    sums.nll_sum = sums.nll_sum.defined() ? sums.nll_sum + result.nll_sum : result.nll_sum;
    sums.source_tokens += batch.source.num_tokens;
  }
  if (fault_nan("loss")) sums.nll_sum.fill_(std::numeric_limits<double>::quiet_NaN());
  return sums;
}

void seed_dropout(std::uint64_t seed, std::int64_t step) {
  at::manual_seed(
      SplitMix64(seed ^ (static_cast<std::uint64_t>(step) * 0x9E3779B97F4A7C15ULL)).next());
}

}  // namespace linformer
