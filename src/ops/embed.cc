// SPDX-License-Identifier: Apache-2.0
#include "ops/embed.h"

#include "ops/accelerator.h"

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct AcceleratedEmbed : torch::autograd::Function<AcceleratedEmbed> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& weight_VM,
                            const at::Tensor& ids_T, const at::Tensor& positions_PM,
                            const at::Tensor& at_T, double scale) {
    context->save_for_backward({ids_T});
    context->saved_data["entries"] = weight_VM.size(0);
    context->saved_data["scale"] = scale;
    return accelerator_of(weight_VM.device())->embed(weight_VM, ids_T, positions_PM, at_T, scale);
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const at::Tensor ids_T = context->get_saved_variables()[0];
    return {accelerator_of(ids_T.device())
                ->embed_backward(outputs[0], ids_T, context->saved_data["entries"].toInt(),
                                 context->saved_data["scale"].toDouble()),
            {},
            {},
            {},
            {}};
  }
};

}  // namespace

at::Tensor embed(const at::Tensor& weight_VM, const at::Tensor& ids_T,
                 const at::Tensor& positions_PM, const at::Tensor& at_T, double scale) {
  const bool fits = weight_VM.scalar_type() == at::kBFloat16 && weight_VM.size(1) % 8 == 0 &&
                    ids_T.scalar_type() == at::kInt && at_T.scalar_type() == at::kInt;
  if (fits && accelerator_of(weight_VM.device()) != nullptr) {
    return AcceleratedEmbed::apply(weight_VM, ids_T, positions_PM, at_T, scale);
  }
  at::Tensor x_TM = at::embedding(weight_VM, ids_T);
  if (scale != 1.0) x_TM = x_TM * scale;
  return x_TM + at::index_select(positions_PM, 0, at_T);
}

}  // namespace linformer
