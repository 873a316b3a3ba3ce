// SPDX-License-Identifier: Apache-2.0
// A block for each row, which stays in shared memory between the two passes where it fits.
#include "kernels/cross_entropy_cuda.h"
#include "kernels/cuda_support.cuh"

namespace linformer {
namespace {

constexpr int kThreads = 512;

struct RowSums {
  float max = -INFINITY;
  float exp_sum = 0;  // of exp(x - max)
  float sum = 0;

  __device__ void merge(float other_max, float other_exp_sum) {
    const float larger = fmaxf(max, other_max);
    exp_sum = exp_sum * __expf(max - larger) + other_exp_sum * __expf(other_max - larger);
    max = larger;
  }
};

/// Copies the row to `kept`, unless it is null.
__device__ RowSums sums_of(const Vector8* row, std::int64_t vectors, Vector8* kept) {
  RowSums own;
#pragma unroll 4
  for (std::int64_t v = threadIdx.x; v < vectors; v += kThreads) {
    const Vector8 packed = row[v];
    if (kept != nullptr) kept[v] = packed;
    float x[8];
    widen(packed, x);
    float largest = x[0];
#pragma unroll
    for (int i = 1; i < 8; ++i) largest = fmaxf(largest, x[i]);
    float exp_sum = 0;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      exp_sum += __expf(x[i] - largest);
      own.sum += x[i];
    }
    own.merge(largest, exp_sum);
  }
  return own;
}

template <bool kIsKept>
__global__ void __launch_bounds__(kThreads, 2) row_kernel(CrossEntropyRows in) {
  extern __shared__ Vector8 kept[];
  __shared__ float shared[kWarp];
  __shared__ float maxima[kThreads / kWarp];
  const std::int64_t index = blockIdx.x;
  const std::int64_t vectors = in.classes / 8;
  auto* row = reinterpret_cast<Vector8*>(in.logits_CV) + index * vectors;
  const std::int32_t label = in.label_C[index];
  if (label < 0) {
    if (threadIdx.x == 0) in.nll_C[index] = in.loss_C[index] = 0;
    const float zeros[8] = {};
    for (std::int64_t v = threadIdx.x; in.wants_gradient && v < vectors; v += kThreads) {
      row[v] = narrow(zeros);
    }
    return;
  }
  const float at_label = __bfloat162float(reinterpret_cast<const __nv_bfloat16*>(row)[label]);
  const RowSums own = sums_of(row, vectors, kIsKept ? kept : nullptr);
  const float warp_largest = warp_max(own.max);
  if (threadIdx.x % kWarp == 0) maxima[threadIdx.x / kWarp] = warp_largest;
  __syncthreads();
  float largest = maxima[0];
#pragma unroll
  for (int i = 1; i < kThreads / kWarp; ++i) largest = fmaxf(largest, maxima[i]);
  // A thread without a column has -inf and 0.
  const float exp_sum =
      block_sum(own.exp_sum > 0 ? own.exp_sum * __expf(own.max - largest) : 0.0F, shared);
  const float sum = block_sum(own.sum, shared);
  const float lse = largest + logf(exp_sum);
  const auto classes = static_cast<float>(in.classes);
  const float scale = *in.scale;
  if (threadIdx.x == 0) {
    const float nll = lse - at_label;
    in.nll_C[index] = nll;
    in.loss_C[index] = scale * ((1.0F - in.smoothing) * nll + in.smoothing * (lse - sum / classes));
  }
  if (!in.wants_gradient) return;
  const float floor = in.smoothing / classes;
#pragma unroll 4
  for (std::int64_t v = threadIdx.x; v < vectors; v += kThreads) {
    float x[8];
    widen(kIsKept ? kept[v] : row[v], x);  // what this thread itself has kept
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const float target = v * 8 + i == label ? 1.0F - in.smoothing + floor : floor;
      x[i] = scale * (__expf(x[i] - lse) - target);
    }
    row[v] = narrow(x);
  }
}

}  // namespace

void cross_entropy_rows(const CrossEntropyRows& in, cudaStream_t stream) {
  constexpr std::size_t kMostKept = 112 * 1024;  // two blocks to a multiprocessor
  const std::size_t bytes = static_cast<std::size_t>(in.classes) * sizeof(__nv_bfloat16);
  const auto rows = static_cast<unsigned>(in.rows);
  if (bytes > kMostKept) {
    row_kernel<false><<<rows, kThreads, 0, stream>>>(in);
    return;
  }
  cudaFuncSetAttribute(row_kernel<true>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                       static_cast<int>(kMostKept));
  row_kernel<true><<<rows, kThreads, bytes, stream>>>(in);
}

}  // namespace linformer
