// SPDX-License-Identifier: Apache-2.0
// Shapes: T tokens, C rows of one chunk, M model width, V vocabulary.
#include "ops/linear_cross_entropy.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/signals.h"
#include "ops/accelerator.h"
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

struct Settings {
  double smoothing;
  double scale;
  at::Tensor device_scale;
  bool is_root;
  bool is_weight_shared;
  bool wants_gradient;
};

/// The accelerator where it takes these logits.
const Accelerator* accelerator_for(const at::Tensor& weight_VM, const at::Tensor& targets_T) {
  const bool fits = weight_VM.scalar_type() == at::kBFloat16 && weight_VM.size(0) % 8 == 0 &&
                    targets_T.scalar_type() == at::kInt;
  return fits ? accelerator_of(weight_VM.device()) : nullptr;
}

/// Of tensors of one shape.
at::Tensor sum_of(const std::vector<at::Tensor>& parts) {
  return parts.size() == 1 ? parts.front() : at::stack(parts).sum(0);
}

void add_product(const at::Tensor& left, const at::Tensor& right, at::Tensor& sum) {
  if (sum.defined()) {
    sum.addmm_(left, right);
  } else {
    sum = at::mm(left, right);
  }
}

/// Losses of rows and, where wanted, gradients of their logits and, where a kernel has it, of the
/// bias.
Accelerator::HeadLoss loss_of_rows(const Accelerator& accelerator, const at::Tensor& hidden_CM,
                                   const at::Tensor& weight_VM, const at::Tensor& bias_V,
                                   const at::Tensor& targets_C, const Settings& settings) {
  if (settings.wants_gradient) {
    std::optional<Accelerator::HeadLoss> out = accelerator.head_loss(
        hidden_CM, weight_VM, bias_V, targets_C, settings.smoothing, settings.device_scale);
    if (out) return *std::move(out);
  }
  const std::optional<at::Tensor> bias = bias_V.defined() ? std::optional(bias_V) : std::nullopt;
  Accelerator::HeadLoss out;
  out.gradient_TV = at::linear(hidden_CM, weight_VM, bias);
  out.rows = accelerator.cross_entropy(out.gradient_TV, targets_C, settings.smoothing,
                                       settings.device_scale, settings.wants_gradient);
  return out;
}

/// Loss, nll and, where wanted, gradients, of bfloat16 logits on the accelerator.
variable_list accelerated(const Accelerator& accelerator, const at::Tensor& hidden_TM,
                          const at::Tensor& weight_VM, const at::Tensor& bias_V,
                          const at::Tensor& targets_T, const Settings& settings,
                          Gradients& gradients) {
  constexpr std::int64_t kRows = 8192;  // 0.8 GB of logits at 50,000 classes
  std::vector<at::Tensor> losses;
  std::vector<at::Tensor> nlls;
  std::vector<at::Tensor> hidden_gradients;
  std::vector<at::Tensor> bias_gradients;
  for (std::int64_t begin = 0; begin < hidden_TM.size(0); begin += kRows) {
    const std::int64_t count = std::min(kRows, hidden_TM.size(0) - begin);
    const at::Tensor hidden_CM = hidden_TM.narrow(0, begin, count);
    const Accelerator::HeadLoss chunk = loss_of_rows(accelerator, hidden_CM, weight_VM, bias_V,
                                                     targets_T.narrow(0, begin, count), settings);
    const auto sum_losses = [&] {
      losses.push_back(chunk.rows.loss_C.sum());
      nlls.push_back(chunk.rows.nll_C.sum());
    };
    const bool is_last = begin + count == hidden_TM.size(0);
    if (settings.is_root && count == hidden_TM.size(0)) {  // nothing waits for them
      accelerator.run_beside({chunk.rows.loss_C, chunk.rows.nll_C}, sum_losses);
    } else {
      sum_losses();
    }
    if (!settings.wants_gradient) continue;
    if (chunk.bias_V.defined()) bias_gradients.push_back(chunk.bias_V);
    const auto weight_gradients = [&] {
      add_product(chunk.gradient_TV.t(), hidden_CM, gradients.weight_VM);
      if (!bias_V.defined() || chunk.bias_V.defined()) return;
      const at::Tensor sum_V = chunk.gradient_TV.sum(0, false, at::kFloat);
      gradients.bias_V = begin == 0 ? sum_V : gradients.bias_V + sum_V;
      if (!is_last) return;
      gradients.bias_V = gradients.bias_V.to(weight_VM.scalar_type());
    };
    if (settings.is_root && !settings.is_weight_shared) {
      accelerator.run_beside({chunk.gradient_TV, hidden_CM}, weight_gradients);
    } else {
      weight_gradients();
    }
    hidden_gradients.push_back(at::mm(chunk.gradient_TV, weight_VM));
  }
  if (!bias_gradients.empty()) gradients.bias_V = sum_of(bias_gradients);
  if (settings.wants_gradient) {
    gradients.hidden_TM =
        hidden_gradients.size() == 1 ? hidden_gradients.front() : at::cat(hidden_gradients);
  }
  return {sum_of(losses), sum_of(nlls)};
}

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
  static variable_list forward(AutogradContext* context, const at::Tensor& hidden_TM,
                               const at::Tensor& weight_VM, const std::optional<at::Tensor>& bias,
                               const at::Tensor& targets_T, const Settings& settings) {
    context->saved_data["is_root"] = settings.is_root;
    if (const Accelerator* accelerator = accelerator_for(weight_VM, targets_T)) {
      Gradients gradients;
      const variable_list out =
          accelerated(*accelerator, hidden_TM, weight_VM, bias.value_or(at::Tensor()), targets_T,
                      settings, gradients);
      if (settings.wants_gradient) {
        context->save_for_backward({gradients.hidden_TM, gradients.weight_VM, gradients.bias_V});
      }
      context->mark_non_differentiable({out[1]});
      context->set_materialize_grads(false);  // it would get zeros
      return out;
    }
    const auto [smoothing, scale, device_scale, is_root, is_weight_shared, wants_gradient] =
        settings;
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
    const bool is_one = context->saved_data["is_root"].toBool() ||
                        (factor.is_cpu() && factor.item<double>() == 1.0);
    const auto scaled = [&](const at::Tensor& gradient) {
      if (!gradient.defined() || is_one) return gradient;
      return gradient * factor.to(gradient.scalar_type());
    };
    return {scaled(saved[0]), scaled(saved[1]), scaled(saved[2]), {}, {}};
  }
};

}  // namespace

LinearCrossEntropyResult linear_cross_entropy(const LinearCrossEntropyInputs& in) {
  TORCH_CHECK(in.hidden_TM.size(1) == in.weight_VM.size(1), "hidden ", in.hidden_TM.sizes(),
              " does not fit the head's weight ", in.weight_VM.sizes());
  TORCH_CHECK(accelerator_for(in.weight_VM, in.targets_T) == nullptr || in.device_scale.defined(),
              "int32 targets come with a scale on the device");
  TORCH_CHECK(in.targets_T.size(0) == in.hidden_TM.size(0), "got ", in.targets_T.size(0),
              " targets for ", in.hidden_TM.size(0), " rows");
  const auto is_trained = [](const at::Tensor& x) { return x.defined() && x.requires_grad(); };
  const bool wants_gradient =
      at::GradMode::is_enabled() &&
      (is_trained(in.hidden_TM) || is_trained(in.weight_VM) || is_trained(in.bias_V));
  const variable_list out = LinearCrossEntropy::apply(
      in.hidden_TM, in.weight_VM,
      in.bias_V.defined() ? std::optional<at::Tensor>(in.bias_V) : std::nullopt, in.targets_T,
      Settings{in.label_smoothing, in.scale, in.device_scale, in.is_root, in.is_weight_shared,
               wants_gradient});
  return {out[0], out[1]};
}

}  // namespace linformer
