// SPDX-License-Identifier: Apache-2.0
// Shapes: T tokens, C rows of one chunk, M model width, V vocabulary.
#include "ops/token_nll.h"

#include <algorithm>

#include "base/signals.h"
#include "ops/accelerator.h"

namespace linformer {

std::int64_t logit_chunk_rows(const at::Tensor& weight_VM) {
  const std::int64_t budget = weight_VM.is_cuda() ? std::int64_t{1} << 30 : std::int64_t{1} << 28;
  return std::max<std::int64_t>(64, budget / (4 * weight_VM.size(0)));
}

at::Tensor token_nll(const at::Tensor& hidden_TM, const at::Tensor& weight_VM,
                     const at::Tensor& bias_V, const at::Tensor& targets_T) {
  TORCH_CHECK(targets_T.size(0) == hidden_TM.size(0), "got ", targets_T.size(0), " targets for ",
              hidden_TM.size(0), " rows");
  const at::NoGradGuard no_grad;
  const Accelerator* accelerator = accelerator_of(weight_VM.device());
  if (accelerator != nullptr && weight_VM.scalar_type() == at::kBFloat16) {
    const auto rows =
        accelerator->consume_head(hidden_TM, weight_VM, bias_V, targets_T.to(at::kInt), 0);
    if (rows) return rows->nll_T;
  }
  const auto wide = hidden_TM.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const std::optional<at::Tensor> bias =
      bias_V.defined() ? std::optional<at::Tensor>(bias_V) : std::nullopt;
  at::Tensor out_T = at::empty({hidden_TM.size(0)}, hidden_TM.options().dtype(wide));
  const std::int64_t rows = logit_chunk_rows(weight_VM);
  for (std::int64_t begin = 0; begin < hidden_TM.size(0); begin += rows) {
    throw_if_interrupted();
    const std::int64_t count = std::min(rows, hidden_TM.size(0) - begin);
    const at::Tensor logits_CV =
        at::linear(hidden_TM.narrow(0, begin, count), weight_VM, bias).to(wide);
    const at::Tensor target_C =
        logits_CV.gather(1, targets_T.narrow(0, begin, count).unsqueeze(1)).squeeze(1);
    out_T.narrow(0, begin, count).copy_(at::logsumexp(logits_CV, {1}) - target_C);
  }
  return out_T;
}

}  // namespace linformer
