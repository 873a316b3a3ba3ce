// SPDX-License-Identifier: Apache-2.0
#include "ops/layer_norm.h"

#include "ops/accelerator.h"

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool is_accelerated(const at::Tensor& x_TM) {
  return x_TM.scalar_type() == at::kBFloat16 && x_TM.dim() == 2 && x_TM.size(1) % 8 == 0 &&
         x_TM.size(1) <= Accelerator::kMaxNormWidth && accelerator_of(x_TM.device()) != nullptr;
}

void save_norm(AutogradContext* context, const Accelerator::Norm& norm,
               const at::Tensor& weight_M) {
  context->save_for_backward({norm.sum_TM, norm.mean_T, norm.rstd_T, weight_M});
  context->set_materialize_grads(false);
}

Accelerator::NormGradients gradients_of(AutogradContext* context,
                                        Accelerator::UpstreamGradients upstream) {
  const variable_list saved = context->get_saved_variables();
  if (!upstream.out_TM.defined()) std::swap(upstream.out_TM, upstream.second_out_TM);
  if (!upstream.out_TM.defined()) upstream.out_TM = at::zeros_like(saved[0]);
  return accelerator_of(saved[0].device())
      ->layer_norm_backward(
          upstream, {.sum_TM = saved[0], .out_TM = {}, .mean_T = saved[1], .rstd_T = saved[2]},
          saved[3]);
}

/// x -> out, x.
struct PassingNorm : torch::autograd::Function<PassingNorm> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x_TM,
                               const at::Tensor& weight_M, const at::Tensor& bias_M,
                               double epsilon) {
    const Accelerator::Norm norm =
        accelerator_of(x_TM.device())->layer_norm(x_TM, {}, weight_M, bias_M, epsilon);
    save_norm(context, norm, weight_M);
    return {norm.out_TM, norm.sum_TM.detach()};
  }
  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const auto out =
        gradients_of(context, {.out_TM = outputs[0], .second_out_TM = {}, .sum_TM = outputs[1]});
    return {out.x_TM, out.weight_M, out.bias_M, {}};
  }
};

/// x, y -> out, out.
struct AddingNorm : torch::autograd::Function<AddingNorm> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x_TM,
                               const at::Tensor& y_TM, const at::Tensor& weight_M,
                               const at::Tensor& bias_M, double epsilon) {
    const Accelerator::Norm norm =
        accelerator_of(x_TM.device())->layer_norm(x_TM, y_TM, weight_M, bias_M, epsilon);
    save_norm(context, norm, weight_M);
    return {norm.out_TM, norm.out_TM.detach()};
  }
  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const auto out =
        gradients_of(context, {.out_TM = outputs[0], .second_out_TM = outputs[1], .sum_TM = {}});
    return {out.x_TM, out.x_TM, out.weight_M, out.bias_M, {}};
  }
};

}  // namespace

at::Tensor layer_norm(const at::Tensor& x_TM, const at::Tensor& weight_M, const at::Tensor& bias_M,
                      double epsilon) {
  return layer_norm_and_pass(x_TM, weight_M, bias_M, epsilon).out_TM;
}

PassedNorm layer_norm_and_pass(const at::Tensor& x_TM, const at::Tensor& weight_M,
                               const at::Tensor& bias_M, double epsilon) {
  if (!is_accelerated(x_TM)) {
    return {at::layer_norm(x_TM, {weight_M.size(0)}, weight_M, bias_M, epsilon), x_TM};
  }
  const variable_list out = PassingNorm::apply(x_TM, weight_M, bias_M, epsilon);
  return {out[0], out[1]};
}

AddedNorm add_layer_norm(const at::Tensor& x_TM, const at::Tensor& y_TM, const at::Tensor& weight_M,
                         const at::Tensor& bias_M, double epsilon) {
  if (!is_accelerated(x_TM)) {
    const at::Tensor out_TM =
        at::layer_norm(y_TM + x_TM, {weight_M.size(0)}, weight_M, bias_M, epsilon);
    return {out_TM, out_TM};
  }
  const variable_list out = AddingNorm::apply(x_TM, y_TM, weight_M, bias_M, epsilon);
  return {out[0], out[1]};
}

}  // namespace linformer
