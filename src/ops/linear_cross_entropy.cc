// SPDX-License-Identifier: Apache-2.0
// Shapes: T tokens, C rows of one chunk, M model width, V vocabulary.
#include "ops/linear_cross_entropy.h"

#include <algorithm>

#include "base/signals.h"
#include "ops/token_nll.h"

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Gradients {
  at::Tensor hidden_TM;
  at::Tensor weight_VM;
  at::Tensor bias_V;
};

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
  static variable_list forward(AutogradContext* context, const at::Tensor& hidden_TM,
                               const at::Tensor& weight_VM, const std::optional<at::Tensor>& bias,
                               const at::Tensor& targets_T, double smoothing, double scale,
                               bool wants_gradient) {
    const at::Tensor bias_V = bias.value_or(at::Tensor());
    const bool is_double = hidden_TM.scalar_type() == at::kDouble;
    const auto wide = hidden_TM.options().dtype(is_double ? at::kDouble : at::kFloat);
    const std::int64_t vocabulary = weight_VM.size(0);
    at::Tensor loss = at::zeros({}, wide);
    at::Tensor nll = at::zeros({}, wide);
    Gradients gradients;
    if (wants_gradient) {
      gradients.hidden_TM = at::empty_like(hidden_TM);
      gradients.weight_VM = at::zeros(weight_VM.sizes(), wide);
      if (bias_V.defined()) gradients.bias_V = at::zeros(bias_V.sizes(), wide);
    }
    const std::int64_t rows = logit_chunk_rows(weight_VM);
    for (std::int64_t begin = 0; begin < hidden_TM.size(0); begin += rows) {
      throw_if_interrupted();
      const std::int64_t count = std::min(rows, hidden_TM.size(0) - begin);
      const at::Tensor hidden_CM = hidden_TM.narrow(0, begin, count);
      const at::Tensor targets_C1 = targets_T.narrow(0, begin, count).unsqueeze(1);
      at::Tensor logits_CV = at::linear(hidden_CM, weight_VM, bias).to(wide.dtype());
      const at::Tensor mean_C = smoothing > 0 ? logits_CV.mean(1) : at::Tensor();
      const at::Tensor target_C = logits_CV.gather(1, targets_C1).squeeze(1);
      const at::Tensor lse_C1 = at::logsumexp(logits_CV, {1}, /*keepdim=*/true);
      const at::Tensor lse_C = lse_C1.squeeze(1);
      const at::Tensor nll_C = lse_C - target_C;
      nll += nll_C.sum();
      loss += smoothing > 0
                  ? (nll_C * (1.0 - smoothing) + (lse_C - mean_C) * smoothing).sum() * scale
                  : nll_C.sum() * scale;
      if (!wants_gradient) continue;
      at::Tensor& d_CV = logits_CV.sub_(lse_C1).exp_();
      if (smoothing > 0) d_CV.sub_(smoothing / static_cast<double>(vocabulary));
      d_CV.scatter_add_(1, targets_C1, at::full({count, 1}, smoothing - 1.0, wide));
      d_CV.mul_(scale);
      if (bias_V.defined()) gradients.bias_V.add_(d_CV.sum(0));
      const at::Tensor narrow_CV = d_CV.to(weight_VM.scalar_type());
      gradients.hidden_TM.narrow(0, begin, count).copy_(at::mm(narrow_CV, weight_VM));
      if (weight_VM.scalar_type() == wide.dtype()) {
        gradients.weight_VM.addmm_(narrow_CV.t(), hidden_CM);
      } else {
        gradients.weight_VM.add_(at::mm(narrow_CV.t(), hidden_CM));
      }
    }
    if (wants_gradient) {
      gradients.weight_VM = gradients.weight_VM.to(weight_VM.scalar_type());
      if (bias_V.defined()) gradients.bias_V = gradients.bias_V.to(bias_V.scalar_type());
      context->save_for_backward({gradients.hidden_TM, gradients.weight_VM, gradients.bias_V});
    }
    context->mark_non_differentiable({nll});
    return {loss, nll};
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& factor = outputs[0];
    // On a CPU the usual factor 1 costs a look instead of a pass over the weight's gradient.
    const bool is_one = factor.is_cpu() && factor.item<double>() == 1.0;
    const auto scaled = [&](const at::Tensor& gradient) {
      if (!gradient.defined() || is_one) return gradient;
      return gradient * factor.to(gradient.scalar_type());
    };
    return {scaled(saved[0]), scaled(saved[1]), scaled(saved[2]), {}, {}, {}, {}};
  }
};

}  // namespace

LinearCrossEntropyResult linear_cross_entropy(const LinearCrossEntropyInputs& in) {
  TORCH_CHECK(in.hidden_TM.size(1) == in.weight_VM.size(1), "hidden ", in.hidden_TM.sizes(),
              " does not fit the head's weight ", in.weight_VM.sizes());
  TORCH_CHECK(in.targets_T.size(0) == in.hidden_TM.size(0), "got ", in.targets_T.size(0),
              " targets for ", in.hidden_TM.size(0), " rows");
  const auto is_trained = [](const at::Tensor& x) { return x.defined() && x.requires_grad(); };
  const bool wants_gradient =
      at::GradMode::is_enabled() &&
      (is_trained(in.hidden_TM) || is_trained(in.weight_VM) || is_trained(in.bias_V));
  const variable_list out = LinearCrossEntropy::apply(
      in.hidden_TM, in.weight_VM,
      in.bias_V.defined() ? std::optional<at::Tensor>(in.bias_V) : std::nullopt, in.targets_T,
      in.label_smoothing, in.scale, wants_gradient);
  return {out[0], out[1]};
}

}  // namespace linformer
