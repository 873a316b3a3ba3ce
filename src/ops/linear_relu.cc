// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_relu.h"

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FusedLinearRelu : torch::autograd::Function<FusedLinearRelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_TM,
                            const at::Tensor& weight_FM) {
    const at::Tensor no_bias_F = at::zeros({weight_FM.size(0)}, weight_FM.options());
    const at::Tensor y_TF = at::_addmm_activation(no_bias_F, x_TM, weight_FM.t());
    context->save_for_backward({x_TM, weight_FM, y_TF});
    return y_TF;
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor d_TF = at::threshold_backward(outputs[0], saved[2], 0);
    return {at::mm(d_TF, saved[1]), at::mm(d_TF.t(), saved[0])};
  }
};

}  // namespace

at::Tensor linear_relu(const at::Tensor& x_TM, const at::Tensor& weight_FM) {
  if (x_TM.is_cuda() && x_TM.scalar_type() == at::kBFloat16 && x_TM.dim() == 2) {
    return FusedLinearRelu::apply(x_TM, weight_FM);
  }
  return at::linear(x_TM, weight_FM).relu();
}

}  // namespace linformer
