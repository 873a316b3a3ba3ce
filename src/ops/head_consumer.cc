// SPDX-License-Identifier: Apache-2.0
// Shapes: T tokens, C rows of one chunk, M model width, V vocabulary.
#include "ops/head_consumer.h"

#include <algorithm>
#include <functional>

#include "base/signals.h"
#include "ops/accelerator.h"
#include "ops/token_nll.h"

namespace linformer {
namespace {

at::ScalarType wide_type(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

at::Tensor logits_of(const HeadInputs& in, const at::Tensor& hidden_CM) {
  return at::linear(hidden_CM, in.weight_VM,
                    in.bias_V.defined() ? std::optional<at::Tensor>(in.bias_V) : std::nullopt);
}

/// `out`, whose rows `read` fills from the logits of a chunk at a time.
at::Tensor in_chunks(const HeadInputs& in, const at::Tensor& out,
                     const std::function<void(const at::Tensor&, at::Tensor)>& read) {
  const std::int64_t rows = inference_chunk_rows(in.weight_VM);
  for (std::int64_t begin = 0; begin < in.hidden_TM.size(0); begin += rows) {
    throw_if_interrupted();
    const std::int64_t count = std::min(rows, in.hidden_TM.size(0) - begin);
    read(logits_of(in, in.hidden_TM.narrow(0, begin, count)), out.narrow(0, begin, count));
  }
  return out;
}

at::Tensor probabilities(const HeadInputs& in) {
  const at::ScalarType type = wide_type(in.hidden_TM);
  const at::Tensor out_TV =
      at::empty({in.hidden_TM.size(0), in.weight_VM.size(0)}, in.hidden_TM.options().dtype(type));
  return in_chunks(in, out_TV, [type](const at::Tensor& logits_CV, at::Tensor out_CV) {
    at::_softmax_out(out_CV, logits_CV.to(type), 1, /*half_to_float=*/false);
  });
}

at::Tensor best_columns(const HeadInputs& in) {
  const at::Tensor out_T =
      at::empty({in.hidden_TM.size(0)}, in.hidden_TM.options().dtype(at::kLong));
  return in_chunks(in, out_T, [](const at::Tensor& logits_CV, at::Tensor out_C) {
    at::argmax_out(out_C, logits_CV, 1);
  });
}

/// By a kernel that stores no logits, where there is one.
at::Tensor without_logits(const HeadInputs& in, HeadOutput output, const Accelerator& accelerator) {
  const bool wants_nll = output == HeadOutput::kNll;
  if (in.hidden_TM.scalar_type() != at::kBFloat16 || !(wants_nll || output == HeadOutput::kArgmax))
    return {};
  const auto rows = accelerator.consume_head(in.hidden_TM, in.weight_VM, in.bias_V,
                                             wants_nll ? in.targets_T.to(at::kInt) : at::Tensor(),
                                             /*num_ids=*/0);
  if (!rows) return {};
  return wants_nll ? rows->nll_T : rows->argmax_T.to(at::kLong);
}

/// The kernel of training's loss reads each chunk once.
at::Tensor nll_by_kernel(const HeadInputs& in, const Accelerator& accelerator) {
  const auto options = in.hidden_TM.options().dtype(at::kFloat);
  const at::Tensor label_T = in.targets_T.to(at::kInt);
  const at::Tensor scale = at::ones({}, options);
  const at::Tensor out_T = at::empty({in.hidden_TM.size(0)}, options);
  std::int64_t begin = 0;
  return in_chunks(in, out_T, [&](at::Tensor logits_CV, at::Tensor out_C) {
    const at::Tensor label_C = label_T.narrow(0, begin, out_C.size(0));
    out_C.copy_(accelerator
                    .cross_entropy(logits_CV, label_C, /*smoothing=*/0.0, scale,
                                   /*wants_gradient=*/false)
                    .nll_C);
    begin += out_C.size(0);
  });
}

}  // namespace

at::Tensor consume_head(const HeadInputs& inputs, HeadOutput output) {
  const at::NoGradGuard no_grad;
  if (output == HeadOutput::kNone) return inputs.hidden_TM;
  if (const Accelerator* accelerator = accelerator_of(inputs.hidden_TM.device())) {
    const at::Tensor out = without_logits(inputs, output, *accelerator);
    if (out.defined()) return out;
    const bool fits_loss =
        inputs.hidden_TM.scalar_type() == at::kBFloat16 && inputs.weight_VM.size(0) % 8 == 0;
    if (output == HeadOutput::kNll && fits_loss) return nll_by_kernel(inputs, *accelerator);
  }
  switch (output) {
    case HeadOutput::kSoftmax:
      return probabilities(inputs);
    case HeadOutput::kNll:
      return token_nll(inputs.hidden_TM, inputs.weight_VM, inputs.bias_V, inputs.targets_T);
    case HeadOutput::kArgmax:
      return best_columns(inputs);
    default:
      return logits_of(inputs, inputs.hidden_TM);
  }
}

}  // namespace linformer
