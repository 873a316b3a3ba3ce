// SPDX-License-Identifier: Apache-2.0
#include "ops/layer_norm.h"

#include <optional>

#include "ops/accelerator.h"
#include "ops/dropout.h"

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool is_accelerated(const at::Tensor& x_TM) {
  return x_TM.scalar_type() == at::kBFloat16 && x_TM.dim() == 2 && x_TM.size(1) % 8 == 0 &&
         x_TM.size(1) <= Accelerator::kMaxNormWidth && accelerator_of(x_TM.device()) != nullptr;
}

/// x, y -> out, out, sum.
struct AddingNorm : torch::autograd::Function<AddingNorm> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x_TM,
                               const std::optional<at::Tensor>& y_TM, double dropout,
                               const at::Tensor& weight_M, const at::Tensor& bias_M,
                               double epsilon) {
    const Accelerator::Norm norm =
        accelerator_of(x_TM.device())
            ->layer_norm(x_TM, y_TM.value_or(at::Tensor()), dropout, weight_M, bias_M, epsilon);
    context->save_for_backward({norm.sum_TM, norm.mean_T, norm.rstd_T, norm.dropout_key, weight_M});
    context->set_materialize_grads(false);
    context->saved_data["dropout"] = dropout;
    context->saved_data["adds"] = y_TM.has_value();
    return {norm.out_TM, norm.out_TM.detach(), norm.sum_TM.detach()};
  }
  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    Accelerator::UpstreamGradients upstream{
        .out_TM = outputs[0], .second_out_TM = outputs[1], .sum_TM = outputs[2]};
    if (!upstream.out_TM.defined()) std::swap(upstream.out_TM, upstream.second_out_TM);
    if (!upstream.out_TM.defined()) upstream.out_TM = at::zeros_like(saved[0]);
    const auto out = accelerator_of(saved[0].device())
                         ->layer_norm_backward(upstream,
                                               {.sum_TM = saved[0],
                                                .out_TM = {},
                                                .mean_T = saved[1],
                                                .rstd_T = saved[2],
                                                .dropout_key = saved[3]},
                                               context->saved_data["dropout"].toDouble(), saved[4]);
    const at::Tensor y_TM = context->saved_data["adds"].toBool() ? out.added_TM : at::Tensor();
    return {out.x_TM, y_TM, {}, out.weight_M, out.bias_M, {}};
  }
};

}  // namespace

at::Tensor layer_norm(const at::Tensor& x_TM, const at::Tensor& weight_M, const at::Tensor& bias_M,
                      double epsilon) {
  return add_layer_norm(x_TM, {}, weight_M, bias_M, epsilon).out_TM;
}

AddedNorm add_layer_norm(const at::Tensor& x_TM, const Addend& addend, const at::Tensor& weight_M,
                         const at::Tensor& bias_M, double epsilon) {
  const auto& [y_TM, probability] = addend;
  TORCH_CHECK(probability >= 0.0 && probability < 1.0, "dropout of ", probability);
  if (is_accelerated(x_TM)) {
    const variable_list out =
        AddingNorm::apply(x_TM, y_TM.defined() ? std::optional<at::Tensor>(y_TM) : std::nullopt,
                          probability, weight_M, bias_M, epsilon);
    return {out[0], out[1], out[2]};
  }
  at::Tensor sum_TM = x_TM;
  if (y_TM.defined()) {
    sum_TM = x_TM + (probability > 0 ? dropout(y_TM, probability) : y_TM);
  }
  const at::Tensor out_TM = at::layer_norm(sum_TM, {weight_M.size(0)}, weight_M, bias_M, epsilon);
  return {out_TM, out_TM, sum_TM};
}

}  // namespace linformer
