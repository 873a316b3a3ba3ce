// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda_support.cuh"
#include "kernels/embedding_cuda.h"

namespace linformer {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) forward_kernel(EmbeddingForward in) {
  const std::int64_t vectors = in.width / 8;
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= in.rows * vectors) return;
  const std::int64_t row = index / vectors;
  const std::int64_t vector = index % vectors;
  float x[8];
  float position[8];
  widen(static_cast<const Vector8*>(in.weight_VM)[in.id_T[row] * vectors + vector], x);
  widen(static_cast<const Vector8*>(in.position_PM)[in.position_T[row] * vectors + vector],
        position);
#pragma unroll
  for (int i = 0; i < 8; ++i) x[i] = in.scale * x[i] + position[i];
  static_cast<Vector8*>(in.out_TM)[index] = narrow(x);
}

constexpr int kGroups = 2;       // share the rows of an id
constexpr int kGroupSize = 128;  // threads
constexpr int kBlock = kGroups * kGroupSize;
constexpr int kLooks = 8;     // ids that a thread looks at together
constexpr int kTogether = 4;  // rows in flight

/// Calls add(rows, count) with up to kTogether rows t >= first of `id` that fall to `group`, in a
/// fixed order.
template <typename Add>
__device__ void for_rows_of(const EmbeddingBackward& in, int id, int first, int group,
                            unsigned (*masks)[kBlock / kWarp], Add&& add) {
  int rows[kTogether];
  int count = 0;
  for (int base = first; base < in.rows; base += kLooks * kBlock) {
    bool is_found = false;
    unsigned own[kLooks];
#pragma unroll
    for (int i = 0; i < kLooks; ++i) {
      const int t = base + i * kBlock + threadIdx.x;
      own[i] = __ballot_sync(0xFFFFFFFFU, t < in.rows && in.id_T[t] == id);
      is_found |= own[i] != 0;
    }
    if (__syncthreads_or(is_found) == 0) continue;
#pragma unroll
    for (int i = 0; i < kLooks; ++i) {
      if (threadIdx.x % kWarp == 0) masks[i][threadIdx.x / kWarp] = own[i];
    }
    __syncthreads();
    for (int i = 0; i < kLooks; ++i) {
      for (int warp = group * (kGroupSize / kWarp); warp < (group + 1) * (kGroupSize / kWarp);
           ++warp) {
        for (unsigned left = masks[i][warp]; left != 0; left &= left - 1) {
          rows[count++] = base + i * kBlock + warp * kWarp + __ffs(static_cast<int>(left)) - 1;
          if (count == kTogether) {
            add(rows, count);
            count = 0;
          }
        }
      }
    }
  }
  add(rows, count);
}

/// A block for each row; that of an id's first row adds up all of them.
__global__ void __launch_bounds__(kBlock) backward_kernel(EmbeddingBackward in) {
  __shared__ unsigned masks[kLooks][kBlock / kWarp];
  extern __shared__ float sums[];  // [kGroups][width]
  const int first = blockIdx.x;
  const int id = in.id_T[first];
  for (int base = 0; base < first; base += kLooks * kBlock) {
    bool is_found = false;
#pragma unroll
    for (int i = 0; i < kLooks; ++i) {
      const int t = base + i * kBlock + threadIdx.x;
      is_found |= t < first && in.id_T[t] == id;
    }
    if (__syncthreads_or(is_found) != 0) return;
  }
  const int group = threadIdx.x / kGroupSize;
  const int lane = threadIdx.x % kGroupSize;
  const auto* gradient = static_cast<const __nv_bfloat162*>(in.gradient_TM);
  const std::int64_t pairs = in.width / 2;
  for (std::int64_t base = 0; base < pairs; base += 2 * kGroupSize) {
    float2 own[2] = {};
    for_rows_of(in, id, first, group, masks, [&](const int(&rows)[kTogether], int count) {
      __nv_bfloat162 values[kTogether][2];
#pragma unroll
      for (int r = 0; r < kTogether; ++r) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const std::int64_t pair = base + i * kGroupSize + lane;
          values[r][i] = r < count && pair < pairs ? gradient[rows[r] * pairs + pair]
                                                   : __floats2bfloat162_rn(0.0F, 0.0F);
        }
      }
#pragma unroll
      for (int r = 0; r < kTogether; ++r) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const float2 value = __bfloat1622float2(values[r][i]);
          own[i].x += value.x;
          own[i].y += value.y;
        }
      }
    });
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const std::int64_t pair = base + i * kGroupSize + lane;
      if (pair < pairs) reinterpret_cast<float2*>(sums + group * in.width)[pair] = own[i];
    }
  }
  __syncthreads();
  auto* out = static_cast<__nv_bfloat16*>(in.weight_gradient_VM) + id * in.width;
  for (std::int64_t column = threadIdx.x; column < in.width; column += kBlock) {
    float total = 0;
#pragma unroll
    for (int g = 0; g < kGroups; ++g) total += sums[g * in.width + column];
    out[column] = __float2bfloat16(in.scale * total);
  }
}

}  // namespace

void embedding_forward(const EmbeddingForward& in, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>(divide_up(in.rows * in.width / 8, kThreads));
  forward_kernel<<<blocks, kThreads, 0, stream>>>(in);
}

void embedding_backward(const EmbeddingBackward& in, cudaStream_t stream) {
  cudaMemsetAsync(in.weight_gradient_VM, 0,
                  static_cast<std::size_t>(in.entries * in.width) * sizeof(__nv_bfloat16), stream);
  const std::size_t bytes = kGroups * static_cast<std::size_t>(in.width) * sizeof(float);
  backward_kernel<<<static_cast<unsigned>(in.rows), kBlock, bytes, stream>>>(in);
}

}  // namespace linformer
