// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "cuda/torch_cuda.h"
#include "kernels/random_place.h"
#include "ops/torch.h"

// What kernels are handed: checked pointers, the stream, a place in the generator's sequence.
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

/// The next place of the current device's generator, or of the graph that is being captured.
inline RandomPlace next_random_place() {
  auto* generator = at::get_generator_or_default<at::CUDAGeneratorImpl>(
      std::nullopt, at::cuda::detail::getDefaultCUDAGenerator());
  const std::lock_guard lock(generator->mutex_);
  const at::PhiloxCudaState state = generator->philox_cuda_state(4);  // it counts in fours
  if (!state.captured_) return {state.seed_.val, state.offset_.val, nullptr, nullptr};
  return {0, state.offset_intragraph_, state.seed_.ptr, state.offset_.ptr};
}

}  // namespace linformer
