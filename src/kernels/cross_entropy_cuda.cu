// SPDX-License-Identifier: Apache-2.0
// cross_entropy_rows: a block for each row, which stays in shared memory between the two passes
// where it fits. cross_entropy_gradient: a block has 2,048 columns of 64 rows, a thread 8 columns.
#include "kernels/cross_entropy_cuda.h"
#include "kernels/tensor_tile.cuh"

namespace linformer {
namespace {

constexpr int kThreads = 512;
constexpr int kColumnThreads = 256;
constexpr int kBlockRows = 64;
constexpr int kRowsAhead = 24;

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

/// A thread fetches its own columns of kRowsAhead rows ahead; no other reads them.
template <bool kWantsSums>
__global__ void __launch_bounds__(kColumnThreads) gradient_kernel(CrossEntropyGradient in) {
  extern __shared__ Vector8 ahead[];
  __shared__ float shifts[kBlockRows];
  __shared__ int labels[kBlockRows];
  const auto first_row = std::int64_t{blockIdx.y} * kBlockRows;
  const int rows = static_cast<int>(min(std::int64_t{kBlockRows}, in.rows - first_row));
  const std::int64_t vectors = in.classes / 8;
  const std::int64_t v = std::int64_t{blockIdx.x} * kColumnThreads + threadIdx.x;
  const bool has_columns = v < vectors;
  auto* column = reinterpret_cast<Vector8*>(in.logits_CV) + first_row * vectors + v;
  const auto kept = [&](int row) {
    return ahead + row % kRowsAhead * kColumnThreads + threadIdx.x;
  };
  const auto fetch = [&](int row) {
    if (has_columns && row < rows) copy_async(kept(row), column + row * vectors, true);
    commit_copies();
  };
#pragma unroll 1
  for (int row = 0; row < kRowsAhead - 1; ++row) fetch(row);
  const float scale = *in.scale;
  const float floor = in.smoothing / static_cast<float>(in.classes);
  if (threadIdx.x < rows) {
    const std::int64_t row = first_row + threadIdx.x;
    const int label = in.label_C[row];
    labels[threadIdx.x] = label;
    shifts[threadIdx.x] = -in.lse_C[row] * kLog2E;
    if (blockIdx.x == 0) {
      const float smooth = in.smoothing * in.lse_C[row] - floor * in.total_C[row];
      in.loss_C[row] = label < 0 ? 0 : scale * ((1.0F - in.smoothing) * in.nll_C[row] + smooth);
    }
  }
  __syncthreads();
  if (!has_columns) return;
  float sums[8] = {};
#pragma unroll 4
  for (int row = 0; row < rows; ++row) {
    fetch(row + kRowsAhead - 1);
    wait_for_groups<kRowsAhead - 1>();
    const int label = labels[row];
    float x[8] = {};
    if (label >= 0) {
      widen(*kept(row), x);
#pragma unroll
      for (int i = 0; i < 8; ++i) x[i] = exp2_fast(fmaf(x[i], kLog2E, shifts[row])) - floor;
      const std::int64_t at = label - v * 8;
      if (at >= 0 && at < 8) {
#pragma unroll
        for (int i = 0; i < 8; ++i) x[i] -= i == at ? 1.0F - in.smoothing : 0.0F;
      }
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        x[i] *= scale;
        sums[i] += x[i];
      }
    }
    column[row * vectors] = narrow(x);
  }
  if constexpr (kWantsSums) {
    auto* out = reinterpret_cast<float4*>(in.partial + blockIdx.y * in.classes + v * 8);
    out[0] = {sums[0], sums[1], sums[2], sums[3]};
    out[1] = {sums[4], sums[5], sums[6], sums[7]};
  }
}

__global__ void __launch_bounds__(kColumnThreads)
    sum_columns_kernel(CrossEntropyGradient in, int parts) {
  const std::int64_t column = std::int64_t{blockIdx.x} * kColumnThreads + threadIdx.x;
  if (column >= in.classes) return;
  float sum = 0;
#pragma unroll 8
  for (int part = 0; part < parts; ++part) sum += in.partial[part * in.classes + column];
  static_cast<__nv_bfloat16*>(in.bias_gradient_V)[column] = __float2bfloat16(sum);
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

std::int64_t cross_entropy_partial_floats(const CrossEntropyGradient& in) {
  return divide_up(in.rows, kBlockRows) * in.classes;
}

void cross_entropy_gradient(const CrossEntropyGradient& in, cudaStream_t stream) {
  const auto parts = static_cast<unsigned>(divide_up(in.rows, kBlockRows));
  const dim3 grid(static_cast<unsigned>(divide_up(in.classes / 8, kColumnThreads)), parts);
  const auto start = [&](auto kernel) {
    constexpr int kBytes = kRowsAhead * kColumnThreads * sizeof(Vector8);
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
    kernel<<<grid, kColumnThreads, kBytes, stream>>>(in);
  };
  if (in.bias_gradient_V == nullptr) return start(gradient_kernel<false>);
  start(gradient_kernel<true>);
  sum_columns_kernel<<<static_cast<unsigned>(divide_up(in.classes, kColumnThreads)), kColumnThreads,
                       0, stream>>>(in, static_cast<int>(parts));
}

}  // namespace linformer
