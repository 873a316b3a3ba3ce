// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/torch_cuda.h"
#include "ops/torch.h"

// What hands tensors to kernels: checked pointers, and the stream.
namespace linformer {

inline cudaStream_t stream() { return at::cuda::getCurrentCUDAStream(); }

inline void check_bfloat16(const at::Tensor& x) {
  TORCH_CHECK(x.is_cuda() && x.scalar_type() == at::kBFloat16 && x.stride(-1) == 1 &&
                  reinterpret_cast<std::uintptr_t>(x.const_data_ptr()) % 16 == 0,
              "want aligned bfloat16 rows on a GPU, got ", x.toString(), " ", x.sizes());
}

inline at::Tensor contiguous_or_none(const at::Tensor& x) {
  if (!x.defined()) return x;
  check_bfloat16(x.contiguous());
  return x.contiguous();
}

inline const void* data_or_null(const at::Tensor& x) {
  return x.defined() ? x.const_data_ptr() : nullptr;
}

inline at::Tensor floats(at::IntArrayRef shape, const at::Tensor& like) {
  return at::empty(shape, like.options().dtype(at::kFloat));
}

inline float* data_of(const at::Tensor& x) { return static_cast<float*>(x.mutable_data_ptr()); }

inline const std::int32_t* integers_of(const at::Tensor& x) {
  TORCH_CHECK(x.scalar_type() == at::kInt && x.is_contiguous(), "want int32, got ", x.toString());
  return static_cast<const std::int32_t*>(x.const_data_ptr());
}

}  // namespace linformer
