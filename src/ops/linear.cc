// SPDX-License-Identifier: Apache-2.0
#include "ops/linear.h"

#include "ops/accelerator.h"

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const Accelerator* accelerator_for(const at::Tensor& x_TM) {
  return x_TM.scalar_type() == at::kBFloat16 && x_TM.dim() == 2 ? accelerator_of(x_TM.device())
                                                                : nullptr;
}

/// gradient^T x -> [N, M], beside what follows.
at::Tensor weight_gradient(const at::Tensor& gradient_TN, const at::Tensor& x_TM) {
  at::Tensor out_NM;
  accelerator_of(x_TM.device())->run_beside({gradient_TN, x_TM}, [&] {
    out_NM = at::mm(gradient_TN.t(), x_TM);
  });
  return out_NM;
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_TM,
                            const at::Tensor& weight_NM) {
    context->save_for_backward({x_TM, weight_NM});
    return at::linear(x_TM, weight_NM);
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor weight_NM = weight_gradient(outputs[0], saved[0]);
    return {at::mm(outputs[0], saved[1]), weight_NM};
  }
};

struct Cross : torch::autograd::Function<Cross> {
  static variable_list forward(AutogradContext* context, const at::Tensor& query_TM,
                               const at::Tensor& memory_SM, const at::Tensor& weight_3MM) {
    context->save_for_backward({query_TM, memory_SM, weight_3MM});
    const auto weights = parts(weight_3MM);
    context->set_materialize_grads(false);
    return {at::linear(query_TM, weights[0]), at::linear(memory_SM, weights[1]),
            memory_SM.detach()};
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    const auto weights = parts(saved[2]);
    at::Tensor weight_3MM;
    accelerator_of(saved[0].device())
        ->run_beside({outputs[0], outputs[1], saved[0], saved[1]}, [&] {
          weight_3MM = at::empty(saved[2].sizes(), saved[2].options());
          const auto gradients = parts(weight_3MM);
          at::Tensor query_MM = gradients[0];
          at::Tensor key_value_2MM = gradients[1];
          at::mm_out(query_MM, outputs[0].t(), saved[0]);
          at::mm_out(key_value_2MM, outputs[1].t(), saved[1]);
        });
    at::Tensor memory_SM = outputs[2];
    if (memory_SM.defined()) {
      memory_SM.addmm_(outputs[1], weights[1]);
    } else {
      memory_SM = at::mm(outputs[1], weights[1]);
    }
    return {at::mm(outputs[0], weights[0]), memory_SM, weight_3MM};
  }

  /// The rows of queries, and those of keys and values.
  static std::vector<at::Tensor> parts(const at::Tensor& weight_3MM) {
    const std::int64_t width = weight_3MM.size(1);
    return {weight_3MM.narrow(0, 0, width), weight_3MM.narrow(0, width, 2 * width)};
  }
};

struct FeedForwardProducts : torch::autograd::Function<FeedForwardProducts> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_TM,
                            const at::Tensor& up_FM, const at::Tensor& down_MF,
                            const at::Tensor& zeros_F) {
    std::optional<at::Tensor> inner_TF = accelerator_of(x_TM.device())->relu_product(x_TM, up_FM);
    if (!inner_TF) inner_TF = at::_addmm_activation(zeros_F, x_TM, up_FM.t());
    context->save_for_backward({x_TM, up_FM, down_MF, *inner_TF});
    return at::linear(*inner_TF, down_MF);
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor down_MF = weight_gradient(outputs[0], saved[3]);
    const at::Tensor gradient_TF = inner_gradient(outputs[0], saved[2], saved[3]);
    const at::Tensor up_FM = weight_gradient(gradient_TF, saved[0]);
    return {at::mm(gradient_TF, saved[1]), up_FM, down_MF, {}};
  }

  static at::Tensor inner_gradient(const at::Tensor& gradient_TM, const at::Tensor& down_MF,
                                   const at::Tensor& inner_TF) {
    if (const auto masked_TF =
            accelerator_of(inner_TF.device())->masked_product(gradient_TM, down_MF, inner_TF)) {
      return *masked_TF;
    }
    at::Tensor out_TF = at::mm(gradient_TM, down_MF);
    at::threshold_backward_out(out_TF, out_TF, inner_TF, 0);  // in place, in the L2 cache
    return out_TF;
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x_TM, const at::Tensor& weight_NM) {
  if (accelerator_for(x_TM) != nullptr) return Linear::apply(x_TM, weight_NM);
  return at::linear(x_TM, weight_NM);
}

CrossProjection project_cross(const at::Tensor& query_TM, const at::Tensor& memory_SM,
                              const at::Tensor& weight_3MM) {
  if (accelerator_for(query_TM) != nullptr) {
    const variable_list out = Cross::apply(query_TM, memory_SM, weight_3MM);
    return {out[0], out[1], out[2]};
  }
  const auto weights = Cross::parts(weight_3MM);
  return {at::linear(query_TM, weights[0]), at::linear(memory_SM, weights[1]), memory_SM};
}

at::Tensor feed_forward(const at::Tensor& x_TM, const at::Tensor& up_FM, const at::Tensor& down_MF,
                        const at::Tensor& zeros_F) {
  if (accelerator_for(x_TM) != nullptr) {
    return FeedForwardProducts::apply(x_TM, up_FM, down_MF, zeros_F);
  }
  return at::linear(at::linear(x_TM, up_FM).relu(), down_MF);
}

}  // namespace linformer
