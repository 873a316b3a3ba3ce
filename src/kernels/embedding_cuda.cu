// SPDX-License-Identifier: Apache-2.0
#include <cub/device/device_radix_sort.cuh>

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

constexpr int kGroups = 4;    // share the rows of an id
constexpr int kLanes = 64;    // threads of a group
constexpr int kTogether = 8;  // rows in flight

/// The rows of one id stand together in `sorted`. The block of the first of them adds them up.
__global__ void __launch_bounds__(kGroups* kLanes) backward_kernel(EmbeddingBackward in) {
  __shared__ float sums[kGroups][kLanes][8];
  const std::int64_t first = blockIdx.x;
  const std::int32_t id = in.sorted.id_T[first];
  if (first > 0 && in.sorted.id_T[first - 1] == id) return;
  const int group = threadIdx.x / kLanes;
  const int lane = threadIdx.x % kLanes;
  const std::int64_t vectors = in.width / 8;
  const auto* gradient = static_cast<const Vector8*>(in.gradient_TM);
  for (std::int64_t base = 0; base < vectors; base += kLanes) {
    const std::int64_t vector = base + lane;
    float own[8] = {};
    for (std::int64_t from = first; from < in.rows && in.sorted.id_T[from] == id;
         from += kGroups * kTogether) {
      Vector8 values[kTogether] = {};
#pragma unroll
      for (int r = 0; r < kTogether; ++r) {
        const std::int64_t place = from + group + r * kGroups;
        if (vector < vectors && place < in.rows && in.sorted.id_T[place] == id) {
          values[r] = gradient[in.sorted.row_T[place] * vectors + vector];
        }
      }
#pragma unroll
      for (int r = 0; r < kTogether; ++r) {
        float value[8];
        widen(values[r], value);
#pragma unroll
        for (int i = 0; i < 8; ++i) own[i] += value[i];
      }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 8; ++i) sums[group][lane][i] = own[i];
    __syncthreads();
    if (group != 0 || vector >= vectors) continue;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      float total = 0;
#pragma unroll
      for (int g = 0; g < kGroups; ++g) total += sums[g][lane][i];
      own[i] = in.scale * total;
    }
    (static_cast<Vector8*>(in.weight_gradient_VM) + id * vectors)[vector] = narrow(own);
  }
}

__global__ void number_rows_kernel(std::int32_t* row_T, std::int64_t rows) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (row < rows) row_T[row] = static_cast<std::int32_t>(row);
}

/// cub's stable radix sort; without storage it only sets the bytes it wants.
void sort_pairs(void* storage, std::size_t& bytes, const std::int32_t* id_T,
                const std::int32_t* row_T, const SortedIds& out, std::int64_t rows,
                std::int64_t entries, cudaStream_t stream) {
  int bits = 1;
  while (bits < 31 && (std::int64_t{1} << bits) < entries) ++bits;
  cub::DeviceRadixSort::SortPairs(storage, bytes, id_T, out.id_T, row_T, out.row_T,
                                  static_cast<int>(rows), 0, bits, stream);
}

}  // namespace

void embedding_forward(const EmbeddingForward& in, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>(divide_up(in.rows * in.width / 8, kThreads));
  forward_kernel<<<blocks, kThreads, 0, stream>>>(in);
}

std::size_t sort_ids_bytes(std::int64_t rows, std::int64_t entries) {
  std::size_t bytes = 0;
  sort_pairs(nullptr, bytes, nullptr, nullptr, {}, rows, entries, nullptr);
  return bytes;
}

void sort_ids(const std::int32_t* id_T, std::int32_t* numbers_T, std::int64_t rows,
              std::int64_t entries, const SortedIds& out, void* storage, std::size_t bytes,
              cudaStream_t stream) {
  number_rows_kernel<<<static_cast<unsigned>(divide_up(rows, kThreads)), kThreads, 0, stream>>>(
      numbers_T, rows);
  sort_pairs(storage, bytes, id_T, numbers_T, out, rows, entries, stream);
}

void embedding_backward(const EmbeddingBackward& in, cudaStream_t stream) {
  cudaMemsetAsync(in.weight_gradient_VM, 0,
                  static_cast<std::size_t>(in.entries * in.width) * sizeof(__nv_bfloat16), stream);
  backward_kernel<<<static_cast<unsigned>(in.rows), kGroups * kLanes, 0, stream>>>(in);
}

}  // namespace linformer
