// SPDX-License-Identifier: Apache-2.0
#include "ops/dropout.h"

#include "kernels/dropout.h"

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <typename T>
void apply_in_parallel(const at::Tensor& in, at::Tensor& out, const DropoutMask& mask) {
  const T* from = static_cast<const T*>(in.const_data_ptr());
  T* to = static_cast<T*>(out.mutable_data_ptr());
  constexpr std::int64_t kGrain = 1 << 14;
  at::parallel_for(0, in.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    apply_dropout(from + begin, to + begin, static_cast<std::uint64_t>(begin),
                  static_cast<std::uint64_t>(end - begin), mask);
  });
}

at::Tensor masked(const at::Tensor& x, const DropoutMask& mask) {
  const at::Tensor in = x.contiguous();
  at::Tensor out = at::empty_like(in);
  switch (in.scalar_type()) {
    case at::kFloat:
      apply_in_parallel<float>(in, out, mask);
      break;
    case at::kDouble:
      apply_in_parallel<double>(in, out, mask);
      break;
    default:
      TORCH_CHECK(in.scalar_type() == at::kBFloat16, "no dropout of ", in.scalar_type());
      apply_in_parallel<std::uint16_t>(in, out, mask);
  }
  return out;
}

struct Dropout : torch::autograd::Function<Dropout> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double probability) {
    const auto key = static_cast<std::int64_t>(
        at::detail::getDefaultCPUGenerator().get<at::CPUGeneratorImpl>()->random64());
    context->saved_data["key"] = key;
    context->saved_data["probability"] = probability;
    return masked(x, make_dropout_mask(static_cast<std::uint64_t>(key), probability));
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const auto key = static_cast<std::uint64_t>(context->saved_data["key"].toInt());
    return {
        masked(outputs[0], make_dropout_mask(key, context->saved_data["probability"].toDouble())),
        {}};
  }
};

}  // namespace

at::Tensor dropout(const at::Tensor& x, double probability) {
  TORCH_CHECK(probability >= 0.0 && probability < 1.0, "dropout of ", probability);
  return x.is_cpu() ? Dropout::apply(x, probability) : at::dropout(x, probability, true);
}

}  // namespace linformer
