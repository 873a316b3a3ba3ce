// SPDX-License-Identifier: Apache-2.0
// A warp for each row; a lane holds kVectors times 8 values of it in registers.
#include <algorithm>
#include <type_traits>

#include "kernels/cuda_support.cuh"
#include "kernels/dropout_hash.h"
#include "kernels/layer_norm_cuda.h"

namespace linformer {
namespace {

constexpr int kWarps = 8;  // of a block
constexpr int kBackwardBlocks = 264;
constexpr int kRowsTogether = 32;  // of the blocks' sums
constexpr int kNormsTogether = 64;

__host__ __device__ constexpr int padded_width(std::int64_t width) {
  return static_cast<int>(width + width / 8);
}

/// A lane's vectors of a row, all asked for before the first is used; zeros where there is no row.
template <int kVectors>
struct RowPart {
  Vector8 vectors[kVectors] = {};

  __device__ void load(const void* base, std::int64_t row, int vectors_of_row, int lane) {
    if (base == nullptr) return;
    const auto* from = static_cast<const Vector8*>(base) + row * vectors_of_row;
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      if (lane + v * kWarp < vectors_of_row) vectors[v] = from[lane + v * kWarp];
    }
  }
};

/// The number of SplitMix64's sequence at a place (Steele et al. 2014).
__device__ std::uint64_t draw(const RandomPlace& random) {
  const std::uint64_t seed = random.seed_at == nullptr ? random.seed : *random.seed_at;
  const std::uint64_t offset =
      random.offset + (random.offset_at == nullptr ? 0 : *random.offset_at);
  std::uint64_t z = seed + (offset + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

/// Dropout of eight neighbours, the first of which is element `first` of its tensor.
__device__ void drop(float (&values)[8], std::int64_t first, std::uint64_t key,
                     const DropoutMask& mask) {
  const DropoutKey part = dropout_key(key, static_cast<std::uint64_t>(first));
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const bool is_kept =
        dropout_hash(static_cast<std::uint32_t>(first) + i, part) >= mask.threshold;
    values[i] = is_kept ? values[i] * mask.scale : 0.0F;
  }
}

template <int kVectors, bool kDrops>
__global__ void __launch_bounds__(kWarps* kWarp) forward_kernel(LayerNormForward in) {
  await_previous();
  std::uint64_t key = 0;
  if constexpr (kDrops) {
    key = draw(in.random);
    if (blockIdx.x == 0 && threadIdx.x == 0) *in.dropout_key = key;
  }
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarp;
  if (row >= in.rows) return;
  const int lane = threadIdx.x % kWarp;
  const int vectors = static_cast<int>(in.width / 8);
  RowPart<kVectors> x;
  RowPart<kVectors> added;
  x.load(in.x_TM, row, vectors, lane);
  added.load(in.added_TM, row, vectors, lane);
  float values[kVectors][8];
  float sum = 0;
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    const int index = lane + v * kWarp;
    if (index >= vectors) continue;
    widen(x.vectors[v], values[v]);
    if (in.added_TM != nullptr) {
      float other[8];
      widen(added.vectors[v], other);
      if constexpr (kDrops) drop(other, (row * vectors + index) * 8, key, in.dropout);
#pragma unroll
      for (int i = 0; i < 8; ++i) values[v][i] += other[i];
      const Vector8 rounded = narrow(values[v]);
      (static_cast<Vector8*>(in.sum_TM) + row * vectors)[index] = rounded;
      widen(rounded, values[v]);
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) sum += values[v][i];
  }
  const auto width = static_cast<float>(in.width);
  const float mean = warp_sum(sum) / width;
  float squares = 0;
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    if (lane + v * kWarp >= vectors) continue;
#pragma unroll
    for (int i = 0; i < 8; ++i) squares += (values[v][i] - mean) * (values[v][i] - mean);
  }
  const float rstd = rsqrtf(warp_sum(squares) / width + in.epsilon);
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    const int index = lane + v * kWarp;
    if (index >= vectors) continue;
    float weight[8];
    float bias[8];
    widen(static_cast<const Vector8*>(in.weight_M)[index], weight);
    widen(static_cast<const Vector8*>(in.bias_M)[index], bias);
#pragma unroll
    for (int i = 0; i < 8; ++i) values[v][i] = (values[v][i] - mean) * rstd * weight[i] + bias[i];
    (static_cast<Vector8*>(in.out_TM) + row * vectors)[index] = narrow(values[v]);
  }
  if (lane == 0) {
    in.mean_T[row] = mean;
    in.rstd_T[row] = rstd;
  }
}

template <int kVectors, bool kDrops>
__global__ void __launch_bounds__(kWarps* kWarp, kVectors <= 2 ? 2 : 1)
    backward_kernel(LayerNormBackward in) {
  await_previous();
  std::uint64_t key = 0;
  if constexpr (kDrops) key = *in.dropout_key;
  extern __shared__ float shared[];  // [kWarps][width]
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  const int vectors = static_cast<int>(in.width / 8);
  const auto width = static_cast<float>(in.width);
  float weight[kVectors][8];
  float weight_sum[kVectors][8] = {};
  float bias_sum[kVectors][8] = {};
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    if (lane + v * kWarp < vectors) {
      widen(static_cast<const Vector8*>(in.weight_M)[lane + v * kWarp], weight[v]);
    }
  }
  for (std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kWarps + warp; row < in.rows;
       row += static_cast<std::int64_t>(gridDim.x) * kWarps) {
    const float mean = in.mean_T[row];
    const float rstd = in.rstd_T[row];
    RowPart<kVectors> gradients;
    RowPart<kVectors> seconds;
    RowPart<kVectors> inputs;
    RowPart<kVectors> others;
    gradients.load(in.gradient_TM, row, vectors, lane);
    seconds.load(in.second_gradient_TM, row, vectors, lane);
    inputs.load(in.x_TM, row, vectors, lane);
    others.load(in.other_gradient_TM, row, vectors, lane);
    float normed[kVectors][8];
    float scaled[kVectors][8];
    float sum = 0;
    float product = 0;
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      if (lane + v * kWarp >= vectors) continue;
      float gradient[8];
      float second[8];
      widen(gradients.vectors[v], gradient);
      widen(seconds.vectors[v], second);
#pragma unroll
      for (int i = 0; i < 8; ++i) gradient[i] += second[i];
      widen(inputs.vectors[v], normed[v]);
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        normed[v][i] = (normed[v][i] - mean) * rstd;
        weight_sum[v][i] += gradient[i] * normed[v][i];
        bias_sum[v][i] += gradient[i];
        scaled[v][i] = gradient[i] * weight[v][i];
        sum += scaled[v][i];
        product += scaled[v][i] * normed[v][i];
      }
    }
    sum = warp_sum(sum) / width;
    product = warp_sum(product) / width;
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      const int index = lane + v * kWarp;
      if (index >= vectors) continue;
      float out[8];
      widen(others.vectors[v], out);
#pragma unroll
      for (int i = 0; i < 8; ++i) out[i] += rstd * (scaled[v][i] - sum - normed[v][i] * product);
      (static_cast<Vector8*>(in.x_gradient_TM) + row * vectors)[index] = narrow(out);
      if constexpr (kDrops) {
        drop(out, (row * vectors + index) * 8, key, in.dropout);
        (static_cast<Vector8*>(in.added_gradient_TM) + row * vectors)[index] = narrow(out);
      }
    }
  }
  // A gap behind every vector: else lanes that write theirs meet in a bank.
  const auto place = [&](int w, int column) {
    return w * padded_width(in.width) + column + column / 8;
  };
  const auto reduce = [&](const float(&sums)[kVectors][8], float* to) {
    __syncthreads();
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      if (lane + v * kWarp >= vectors) continue;
#pragma unroll
      for (int i = 0; i < 8; ++i) shared[place(warp, (lane + v * kWarp) * 8 + i)] = sums[v][i];
    }
    __syncthreads();
    for (int column = threadIdx.x; column < in.width; column += blockDim.x) {
      float total = 0;
#pragma unroll
      for (int w = 0; w < kWarps; ++w) total += shared[place(w, column)];
      to[column] = total;
    }
  };
  float* partial = in.partial + static_cast<std::int64_t>(blockIdx.x) * 2 * in.width;
  reduce(weight_sum, partial);
  reduce(bias_sum, partial + in.width);
}

struct NormSums {
  const float* partial;
  std::int64_t blocks;
  std::int64_t width;
  void* weight;
  void* bias;
};
struct NormTable {
  NormSums norms[kNormsTogether];
};

/// One column of weight and bias gradients a thread of x; threads of y share the blocks' sums.
__global__ void reduce_kernel(const __grid_constant__ NormTable table) {
  __shared__ float shared[kRowsTogether][kWarp];
  const auto [partial, blocks, width, weight, bias] = table.norms[blockIdx.y];
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kWarp + threadIdx.x;
  float sum = 0;
  if (column < 2 * width) {
    for (std::int64_t block = threadIdx.y; block < blocks; block += kRowsTogether) {
      sum += partial[block * 2 * width + column];
    }
  }
  shared[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= 2 * width) return;
  float total = 0;
#pragma unroll
  for (int i = 0; i < kRowsTogether; ++i) total += shared[i][threadIdx.x];
  void* base = column < width ? weight : bias;
  static_cast<__nv_bfloat16*>(base)[column < width ? column : column - width] =
      __float2bfloat16(total);
}

unsigned backward_blocks(const LayerNormBackward& in) {
  const std::int64_t wanted = divide_up(in.rows, kWarps);
  return static_cast<unsigned>(wanted < kBackwardBlocks ? wanted : kBackwardBlocks);
}

/// Calls `launch` with how many vectors of 8 a lane holds, and whether there is dropout.
template <typename Function>
void dispatch(std::int64_t width, const DropoutMask& dropout, const Function& launch) {
  const auto with_width = [&](auto drops) {
    if (width <= 256) {
      launch(std::integral_constant<int, 1>(), drops);
    } else if (width <= 512) {
      launch(std::integral_constant<int, 2>(), drops);
    } else {
      launch(std::integral_constant<int, 4>(), drops);
    }
  };
  if (dropout.threshold > 0) {
    with_width(std::true_type());
  } else {
    with_width(std::false_type());
  }
}

}  // namespace

void layer_norm_forward(const LayerNormForward& in, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>(divide_up(in.rows, kWarps));
  dispatch(in.width, in.dropout, [&](auto vectors, auto drops) {
    launch_early(forward_kernel<vectors, drops>, {blocks, kWarps * kWarp, 0, stream}, in);
  });
}

std::int64_t layer_norm_partial_floats(std::int64_t width) { return kBackwardBlocks * 2 * width; }

void layer_norm_backward(const LayerNormBackward& in, cudaStream_t stream) {
  const std::size_t bytes = kWarps * padded_width(in.width) * sizeof(float);
  dispatch(in.width, in.dropout, [&](auto vectors, auto drops) {
    launch_early(backward_kernel<vectors, drops>,
                 {backward_blocks(in), kWarps * kWarp, bytes, stream}, in);
  });
}

void layer_norm_parameter_gradients(std::span<const LayerNormBackward> norms, cudaStream_t stream) {
  while (!norms.empty()) {
    const std::size_t count = std::min<std::size_t>(kNormsTogether, norms.size());
    NormTable table{};
    std::int64_t widest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const LayerNormBackward& in = norms[i];
      table.norms[i] = {in.partial, backward_blocks(in), in.width, in.weight_gradient_M,
                        in.bias_gradient_M};
      widest = std::max(widest, in.width);
    }
    const dim3 grid(static_cast<unsigned>(divide_up(2 * widest, kWarp)),
                    static_cast<unsigned>(count));
    reduce_kernel<<<grid, dim3(kWarp, kRowsTogether), 0, stream>>>(table);
    norms = norms.subspan(count);
  }
}

}  // namespace linformer
