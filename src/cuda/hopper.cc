// SPDX-License-Identifier: Apache-2.0
#include "cuda/hopper.h"

#include "cuda/device_tensors.h"
#include "kernels/cross_entropy_cuda.h"
#include "kernels/feed_forward_hopper.h"
#include "kernels/head_consumer_hopper.h"

namespace linformer {
namespace {

/// Aligned rows, as bulk copies want them.
const void* rows_of(const at::Tensor& x, const char* name) {
  const auto address = reinterpret_cast<std::uintptr_t>(x.const_data_ptr());
  TORCH_CHECK(x.is_cuda() && x.scalar_type() == at::kBFloat16 && x.stride(-1) == 1 &&
                  (x.dim() == 1 || x.stride(0) % 8 == 0) && address % 16 == 0,
              name, ": want aligned rows of bfloat16 on a GPU, got ", x.toString(), " ", x.sizes());
  return x.const_data_ptr();
}

const void* contiguous_rows_of(const at::Tensor& x, const char* name) {
  TORCH_CHECK(x.is_contiguous(), name, ": rows with gaps");
  return rows_of(x, name);
}

float* floats_of(const at::Tensor& x) {
  return x.defined() ? static_cast<float*>(x.mutable_data_ptr()) : nullptr;
}

/// What a head's kernel reads; `hidden` and `partial` live as long as it runs.
struct Head {
  at::Tensor hidden_TM;
  at::Tensor partial;
  HeadConsumer in;
};

/// Nothing where there is no kernel for these.
std::optional<Head> head_of(const at::Tensor& hidden_TM, const at::Tensor& weight_VM,
                            const at::Tensor& bias_V, const at::Tensor& targets_T) {
  const std::int64_t rows = hidden_TM.size(0);
  const std::int64_t classes = weight_VM.size(0);
  const std::int64_t width = weight_VM.size(1);
  if (rows == 0 || !has_head_consumer(classes, width)) return std::nullopt;
  TORCH_CHECK(hidden_TM.size(1) == width, "hidden ", hidden_TM.sizes(),
              " does not fit the head's weight ", weight_VM.sizes());
  TORCH_CHECK(!targets_T.defined() || targets_T.size(0) == rows, "want ", rows, " targets, got ",
              targets_T.sizes());
  Head out{.hidden_TM = hidden_TM.contiguous(),
           .partial = at::empty({head_consumer_partial_floats(rows, classes)},
                                weight_VM.options().dtype(at::kFloat)),
           .in = {}};
  out.in.hidden_TM = contiguous_rows_of(out.hidden_TM, "the head's input");
  out.in.weight_VM = contiguous_rows_of(weight_VM, "the head's weight");
  out.in.bias_V = bias_V.defined() ? contiguous_rows_of(bias_V, "the head's bias") : nullptr;
  out.in.target_T = targets_T.defined() ? integers_of(targets_T) : nullptr;
  out.in.partial = floats_of(out.partial);
  out.in.rows = rows;
  out.in.classes = classes;
  out.in.width = width;
  return out;
}

using ProductKernel = bool (*)(const FeedForwardProduct&, cudaStream_t);

/// Of rows by a weight with `columns` columns, as the kernel reads it; `inner` may be undefined.
std::optional<at::Tensor> product_of(ProductKernel kernel, const at::Tensor& rows_TM,
                                     const at::Tensor& weight, std::int64_t columns,
                                     const at::Tensor& inner_TF) {
  const c10::cuda::CUDAGuard guard(weight.device());
  const std::int64_t rows = rows_TM.size(0);
  const std::int64_t width = rows_TM.size(1);
  TORCH_CHECK(weight.numel() == columns * width, "a weight of ", weight.sizes(),
              " for rows of width ", width);
  if (rows == 0) return std::nullopt;
  const at::Tensor out_TF = at::empty({rows, columns}, rows_TM.options());
  const at::Tensor contiguous_TM = rows_TM.contiguous();
  FeedForwardProduct in{.rows_TM = contiguous_rows_of(contiguous_TM, "a product's rows"),
                        .weight = contiguous_rows_of(weight, "a product's weight"),
                        .inner_TF = nullptr,
                        .out_TF = out_TF.mutable_data_ptr(),
                        .rows = rows,
                        .columns = columns,
                        .width = width};
  if (inner_TF.defined()) {
    TORCH_CHECK(inner_TF.sizes() == out_TF.sizes(), "want inner values of ", out_TF.sizes(),
                ", got ", inner_TF.sizes());
    in.inner_TF = contiguous_rows_of(inner_TF, "inner values");
  }
  if (!kernel(in, stream())) return std::nullopt;
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return out_TF;
}

}  // namespace

std::optional<at::Tensor> relu_product_on_hopper(const at::Tensor& x_TM,
                                                 const at::Tensor& weight_FM) {
  return product_of(relu_product, x_TM, weight_FM, weight_FM.size(0), {});
}

std::optional<at::Tensor> masked_product_on_hopper(const at::Tensor& gradient_TM,
                                                   const at::Tensor& weight_MF,
                                                   const at::Tensor& inner_TF) {
  return product_of(masked_product, gradient_TM, weight_MF, weight_MF.size(1), inner_TF);
}

std::optional<Accelerator::HeadRows> consume_head_on_hopper(const at::Tensor& hidden_TM,
                                                            const at::Tensor& weight_VM,
                                                            const at::Tensor& bias_V,
                                                            const at::Tensor& targets_T,
                                                            std::int64_t num_ids) {
  const c10::cuda::CUDAGuard guard(weight_VM.device());
  std::optional<Head> head = head_of(hidden_TM, weight_VM, bias_V, targets_T);
  if (!head) return std::nullopt;
  TORCH_CHECK(num_ids >= 0 && num_ids <= head->in.classes, "want at most ", head->in.classes,
              " ids, got ", num_ids);
  const at::TensorOptions floats = head->partial.options();
  Accelerator::HeadRows out;
  if (targets_T.defined()) out.nll_T = at::empty({head->in.rows}, floats);
  out.lse_T = at::empty({head->in.rows}, floats);
  out.max_T = at::empty({head->in.rows}, floats);
  out.argmax_T = at::empty({head->in.rows}, floats.dtype(at::kInt));
  head->in.nll_T = floats_of(out.nll_T);
  head->in.lse_T = floats_of(out.lse_T);
  head->in.max_T = floats_of(out.max_T);
  head->in.argmax_T = static_cast<std::int32_t*>(out.argmax_T.mutable_data_ptr());
  head->in.num_ids = num_ids;
  if (!consume_head(head->in, stream())) return std::nullopt;
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return out;
}

std::optional<Accelerator::HeadLoss> head_loss_on_hopper(
    const at::Tensor& hidden_TM, const at::Tensor& weight_VM, const at::Tensor& bias_V,
    const at::Tensor& labels_T, double smoothing, const at::Tensor& scale) {
  const c10::cuda::CUDAGuard guard(weight_VM.device());
  std::optional<Head> head = head_of(hidden_TM, weight_VM, bias_V, labels_T);
  if (!head) return std::nullopt;
  const at::TensorOptions floats = head->partial.options();
  const std::int64_t rows = head->in.rows;
  Accelerator::HeadLoss out{.gradient_TV = at::empty({rows, head->in.classes}, weight_VM.options()),
                            .bias_V = bias_V.defined() ? at::empty_like(bias_V) : at::Tensor(),
                            .rows = {at::empty({rows}, floats), at::empty({rows}, floats)}};
  const at::Tensor lse_T = at::empty({rows}, floats);
  const at::Tensor total_T = at::empty({rows}, floats);
  head->in.nll_T = floats_of(out.rows.nll_C);
  head->in.lse_T = floats_of(lse_T);
  head->in.logits_TV = out.gradient_TV.mutable_data_ptr();
  head->in.total_T = floats_of(total_T);
  if (!consume_head(head->in, stream())) return std::nullopt;
  CrossEntropyGradient gradient{
      .logits_CV = head->in.logits_TV,
      .label_C = head->in.target_T,
      .scale = floats_of(scale),
      .lse_C = head->in.lse_T,
      .nll_C = head->in.nll_T,
      .total_C = head->in.total_T,
      .loss_C = floats_of(out.rows.loss_C),
      .partial = nullptr,
      .bias_gradient_V = bias_V.defined() ? out.bias_V.mutable_data_ptr() : nullptr,
      .rows = rows,
      .classes = head->in.classes,
      .smoothing = static_cast<float>(smoothing)};
  at::Tensor partial;
  if (bias_V.defined()) {
    partial = at::empty({cross_entropy_partial_floats(gradient)}, floats);
    gradient.partial = floats_of(partial);
  }
  cross_entropy_gradient(gradient, stream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return out;
}

bool attend_long_on_hopper(AcceleratedAttention& in, int variant) {
  const c10::cuda::CUDAGuard guard(in.query_TM.device());
  const std::int64_t rows = in.query_TM.size(0);
  const std::int64_t width = in.query_TM.size(1);
  if (rows == 0 || in.key_SM.size(0) == 0 || !has_long_attention(width / in.heads)) return false;
  TORCH_CHECK(in.key_SM.stride(0) == in.value_SM.stride(0), "keys and values of other strides");
  const at::Tensor out_TM = at::empty({rows, width}, in.query_TM.options());
  const at::Tensor lse_HT = at::empty({in.heads, rows}, in.query_TM.options().dtype(at::kFloat));
  LongAttention attention{.query_TM = rows_of(in.query_TM, "queries"),
                          .key_SM = rows_of(in.key_SM, "keys"),
                          .value_SM = rows_of(in.value_SM, "values"),
                          .query_stride = in.query_TM.stride(0),
                          .key_value_stride = in.key_SM.stride(0),
                          .query_start_B1 = integers_of(in.query_start_B1),
                          .key_start_B1 = integers_of(in.key_start_B1),
                          .out_TM = out_TM.mutable_data_ptr(),
                          .lse_HT = floats_of(lse_HT),
                          .partial = nullptr,
                          .rows = rows,
                          .key_rows = in.key_SM.size(0),
                          .batch = in.query_start_B1.size(0) - 1,
                          .heads = in.heads,
                          .max_queries = in.max_queries,
                          .causal = in.causal,
                          .variant = variant};
  at::Tensor partial;
  if (const std::int64_t floats = long_attention_partial_floats(attention); floats > 0) {
    partial = at::empty({floats}, lse_HT.options());
    attention.partial = floats_of(partial);
  }
  const bool is_done = attend_long(attention, stream());
  if (!is_done) return false;
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  in.out_TM = out_TM;
  in.lse_HT = lse_HT;
  return true;
}

}  // namespace linformer
