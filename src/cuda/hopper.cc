// SPDX-License-Identifier: Apache-2.0
#include "cuda/hopper.h"

#include "cuda/device_tensors.h"
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

}  // namespace

std::optional<Accelerator::HeadRows> consume_head_on_hopper(const at::Tensor& hidden_TM,
                                                            const at::Tensor& weight_VM,
                                                            const at::Tensor& bias_V,
                                                            const at::Tensor& targets_T,
                                                            std::int64_t num_ids) {
  const c10::cuda::CUDAGuard guard(weight_VM.device());
  const std::int64_t rows = hidden_TM.size(0);
  const std::int64_t classes = weight_VM.size(0);
  const std::int64_t width = weight_VM.size(1);
  if (rows == 0 || !has_head_consumer(classes, width)) return std::nullopt;
  TORCH_CHECK(hidden_TM.size(1) == width, "hidden ", hidden_TM.sizes(),
              " does not fit the head's weight ", weight_VM.sizes());
  TORCH_CHECK(num_ids >= 0 && num_ids <= classes, "want at most ", classes, " ids, got ", num_ids);
  TORCH_CHECK(!targets_T.defined() || targets_T.size(0) == rows, "want ", rows, " targets, got ",
              targets_T.sizes());
  const at::TensorOptions floats = weight_VM.options().dtype(at::kFloat);
  Accelerator::HeadRows out;
  if (targets_T.defined()) out.nll_T = at::empty({rows}, floats);
  out.lse_T = at::empty({rows}, floats);
  out.max_T = at::empty({rows}, floats);
  out.argmax_T = at::empty({rows}, floats.dtype(at::kInt));
  const at::Tensor partial = at::empty({head_consumer_partial_floats(rows, classes)}, floats);
  const at::Tensor hidden = hidden_TM.contiguous();
  const bool is_done = consume_head(
      {.hidden_TM = contiguous_rows_of(hidden, "the head's input"),
       .weight_VM = contiguous_rows_of(weight_VM, "the head's weight"),
       .bias_V = bias_V.defined() ? contiguous_rows_of(bias_V, "the head's bias") : nullptr,
       .target_T = targets_T.defined() ? integers_of(targets_T) : nullptr,
       .nll_T = floats_of(out.nll_T),
       .lse_T = floats_of(out.lse_T),
       .max_T = floats_of(out.max_T),
       .argmax_T = static_cast<std::int32_t*>(out.argmax_T.mutable_data_ptr()),
       .partial = floats_of(partial),
       .rows = rows,
       .classes = classes,
       .width = width,
       .num_ids = num_ids},
      stream());
  if (!is_done) return std::nullopt;
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
