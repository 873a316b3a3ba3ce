// SPDX-License-Identifier: Apache-2.0
#include "kernels/length_projection_cuda.h"
#include "kernels/tensor_tile.cuh"

namespace linformer {
namespace {

constexpr int kSlots = 32;  // of a tile; its tokens and columns are kTile
constexpr int kSumThreads = 128;

struct Sequence {
  int start;
  int length;
  int slots;
};

__device__ Sequence sequence_of(const LengthProjection& in, int b) {
  Sequence out;
  out.start = in.start_B1[b];
  out.length = in.start_B1[b + 1] - out.start;
  out.slots = in.all_slots ? (out.length > 0 ? static_cast<int>(in.slots) : 0)
                           : min(out.length, static_cast<int>(in.slots));
  return out;
}

__device__ float factor(const LengthProjection& in, int length, int slot) {
  if (in.all_slots) return 1.0F;
  const int slots = static_cast<int>(in.slots);
  return 1.0F / static_cast<float>((length - slot + slots - 1) / slots);
}

/// One block.
__global__ void slot_start_kernel(const std::int32_t* start_B1, int batch, int slots,
                                  bool all_slots, std::int32_t* slot_start_B1) {
  __shared__ int totals[kWarp];
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  int carried = 0;
  for (int base = 0; base < batch; base += blockDim.x) {
    const int b = base + threadIdx.x;
    const int length = b < batch ? start_B1[b + 1] - start_B1[b] : 0;
    int sum = all_slots && length > 0 ? slots : min(length, slots);
    for (int offset = 1; offset < kWarp; offset *= 2) {
      const int below = __shfl_up_sync(0xFFFFFFFFU, sum, offset);
      if (lane >= offset) sum += below;
    }
    if (lane == kWarp - 1) totals[warp] = sum;
    __syncthreads();
    int before = carried;
    int all = 0;
    for (int w = 0; w < blockDim.x / kWarp; ++w) {
      if (w < warp) before += totals[w];
      all += totals[w];
    }
    if (b < batch) slot_start_B1[b + 1] = before + sum;
    carried += all;
    __syncthreads();
  }
  if (threadIdx.x == 0) slot_start_B1[0] = 0;
}

/// A corner of E or F as a tile: slots first_slot .. first_slot + 31 by 64 tokens, 0 outside.
__device__ void load_projection(const void* base, const LengthProjection& in, int first_slot,
                                int first_token, int length, Tile<kTile>& to) {
  const auto* from = static_cast<const __nv_bfloat16*>(base);
  for (int i = threadIdx.x; i < kSlots * kTile; i += kTileThreads) {
    const int slot = first_slot + i / kTile;
    const int token = first_token + i % kTile;
    to.data[i / kTile * Tile<kTile>::kStride + i % kTile] = slot < in.slots && token < length
                                                                ? from[slot * in.max_length + token]
                                                                : __float2bfloat16(0.0F);
  }
}

/// Rows of the slots' gradient, times the factors of their slots.
__device__ void load_slots(const LengthProjectionBackward& in, const Sequence& sequence,
                           std::int64_t slot_row, int first_slot, std::int64_t first_column,
                           Tile<kTile>& to) {
  const auto* from = static_cast<const __nv_bfloat16*>(in.slots_gradient_S2M);
  for (int i = threadIdx.x; i < kSlots * kTile / 8; i += kTileThreads) {
    const int row = i / (kTile / 8);
    const int column = i % (kTile / 8) * 8;
    float x[8] = {};
    if (first_slot + row < sequence.slots) {
      widen(
          *reinterpret_cast<const Vector8*>(
              from + (slot_row + first_slot + row) * 2 * in.forward.width + first_column + column),
          x);
      const float scale = factor(in.forward, sequence.length, first_slot + row);
#pragma unroll
      for (int j = 0; j < 8; ++j) x[j] *= scale;
    }
    *reinterpret_cast<Vector8*>(to.data + row * Tile<kTile>::kStride + column) = narrow(x);
  }
}

/// One sequence, 32 slots and 64 columns of keys or values a block; 16 by 32 a warp.
__global__ void __launch_bounds__(kTileThreads)
    forward_kernel(const __grid_constant__ LengthProjection in) {
  __shared__ Tile<kTile> weights;
  __shared__ Tile<kTile> tokens;
  const Sequence sequence = sequence_of(in, blockIdx.x);
  const int first_slot = blockIdx.z * kSlots;
  if (first_slot >= sequence.slots) return;
  const int first_column = blockIdx.y * kTile;
  const void* projection = first_column < in.width ? in.E_KN : in.F_KN;
  const int lane = threadIdx.x % kWarp;
  const int own_slot = threadIdx.x / kWarp % 2 * 16;
  const int own_column = threadIdx.x / kWarp / 2 * 32;
  float sums[4][4] = {};
  for (int first = 0; first < sequence.length; first += kTile) {
    if (first > 0) __syncthreads();
    load_projection(projection, in, first_slot, first, sequence.length, weights);
    tokens.load(at_row(in.kv_T2M, sequence.start * in.kv_stride + first_column), in.kv_stride,
                first, sequence.length);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTile; k += 16) {
      const Fragment a = weights.left(own_slot, k, lane);
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        const Fragment b = tokens.right(k, own_column + j * 16, lane);
        multiply(sums[2 * j], a, b.r[0], b.r[1]);
        multiply(sums[2 * j + 1], a, b.r[2], b.r[3]);
      }
    }
  }
  const std::int64_t row_width = 2 * in.width;
  auto* out = static_cast<__nv_bfloat16*>(in.slots_S2M) + in.slot_start_B1[blockIdx.x] * row_width +
              first_column + own_column + lane % 4 * 2;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int slot = first_slot + own_slot + lane / 4 + half * 8;
    if (slot >= sequence.slots) continue;
    const float scale = factor(in, sequence.length, slot);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      *reinterpret_cast<unsigned*>(out + slot * row_width + j * 8) =
          packed(sums[j][2 * half] * scale, sums[j][2 * half + 1] * scale);
    }
  }
}

/// Gradient of the keys and values: one sequence, 64 tokens and 64 columns a block; 16 by 64 a
/// warp.
__global__ void __launch_bounds__(kTileThreads)
    kv_gradient_kernel(const __grid_constant__ LengthProjectionBackward in) {
  __shared__ Tile<kTile> weights;
  __shared__ Tile<kTile> slots;
  const LengthProjection& forward = in.forward;
  const Sequence sequence = sequence_of(forward, blockIdx.x);
  const int first_token = blockIdx.z * kTile;
  if (first_token >= sequence.length) return;
  const int first_column = blockIdx.y * kTile;
  const void* projection = first_column < forward.width ? forward.E_KN : forward.F_KN;
  const int lane = threadIdx.x % kWarp;
  const int own_token = threadIdx.x / kWarp * 16;
  Sums<kTile> sums;
  for (int first = 0; first < sequence.slots; first += kSlots) {
    if (first > 0) __syncthreads();
    load_projection(projection, forward, first, first_token, sequence.length, weights);
    load_slots(in, sequence, forward.slot_start_B1[blockIdx.x], first, first_column, slots);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kSlots; k += 16) {
      sums.add(weights.left_transposed(k, own_token, lane), slots, k, lane);
    }
  }
  sums.store(at_row(in.kv_gradient_T2M, sequence.start * 2 * forward.width + first_column),
             2 * forward.width, first_token + own_token, sequence.length, lane, 1.0F, 1.0F);
}

/// Gradient of E (blockIdx.z 0) or F (1) from one sequence: 32 slots by 64 tokens a block, 16 by 32
/// a warp.
__global__ void __launch_bounds__(kTileThreads)
    projection_gradient_kernel(const __grid_constant__ LengthProjectionBackward in) {
  __shared__ Tile<kTile> slots;
  __shared__ Tile<kTile> tokens;
  const LengthProjection& forward = in.forward;
  const int token_tiles = static_cast<int>((forward.max_length + kTile - 1) / kTile);
  const int first_token = blockIdx.x % token_tiles * kTile;
  const int first_slot = blockIdx.x / token_tiles * kSlots;
  const Sequence sequence = sequence_of(forward, blockIdx.y);
  if (first_token >= sequence.length || first_slot >= sequence.slots) return;
  const std::int64_t offset = blockIdx.z * forward.width;
  const int lane = threadIdx.x % kWarp;
  const int own_slot = threadIdx.x / kWarp % 2 * 16;
  const int own_token = threadIdx.x / kWarp / 2 * 32;
  float sums[4][4] = {};
  for (std::int64_t column = offset; column < offset + forward.width; column += kTile) {
    if (column > offset) __syncthreads();
    load_slots(in, sequence, forward.slot_start_B1[blockIdx.y], first_slot, column, slots);
    tokens.load(at_row(forward.kv_T2M, sequence.start * forward.kv_stride + column),
                forward.kv_stride, first_token, sequence.length);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTile; k += 16) {
      const Fragment a = slots.left(own_slot, k, lane);
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        const Fragment b = tokens.right_transposed(own_token + j * 16, k, lane);
        multiply(sums[2 * j], a, b.r[0], b.r[1]);
        multiply(sums[2 * j + 1], a, b.r[2], b.r[3]);
      }
    }
  }
  float* partial = in.partial + (static_cast<std::int64_t>(blockIdx.y) * 2 + blockIdx.z) *
                                    forward.slots * forward.max_length;
#pragma unroll
  for (int j = 0; j < 4; ++j) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int slot = first_slot + own_slot + lane / 4 + i / 2 * 8;
      const int token = first_token + own_token + j * 8 + lane % 4 * 2 + i % 2;
      if (slot < sequence.slots && token < sequence.length) {
        partial[slot * forward.max_length + token] = sums[j][i];
      }
    }
  }
}

/// Adds up what the sequences that reach a slot and a token have left there.
__global__ void __launch_bounds__(kSumThreads)
    sum_partials_kernel(const __grid_constant__ LengthProjectionBackward in) {
  __shared__ Sequence sequences[kSumThreads];
  const LengthProjection& forward = in.forward;
  const std::int64_t size = forward.slots * forward.max_length;
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * kSumThreads + threadIdx.x;
  const std::int64_t cell = index < size ? index : index - size;
  const std::int64_t slot = cell / forward.max_length;
  const std::int64_t token = cell % forward.max_length;
  float sum = 0;
  for (int base = 0; base < forward.batch; base += kSumThreads) {
    const int count = min(kSumThreads, static_cast<int>(forward.batch) - base);
    __syncthreads();
    if (threadIdx.x < count) sequences[threadIdx.x] = sequence_of(forward, base + threadIdx.x);
    __syncthreads();
#pragma unroll 8
    for (int b = 0; b < count; ++b) {
      if (index < 2 * size && token < sequences[b].length && slot < sequences[b].slots) {
        sum += in.partial[(base + b) * 2 * size + index];
      }
    }
  }
  if (index >= 2 * size) return;
  void* base = index < size ? in.E_gradient_KN : in.F_gradient_KN;
  static_cast<__nv_bfloat16*>(base)[cell] = __float2bfloat16(sum);
}

}  // namespace

void find_slot_starts(const std::int32_t* start_B1, std::int64_t batch, std::int64_t slots,
                      bool all_slots, std::int32_t* slot_start_B1, cudaStream_t stream) {
  slot_start_kernel<<<1, 256, 0, stream>>>(start_B1, static_cast<int>(batch),
                                           static_cast<int>(slots), all_slots, slot_start_B1);
}

void project_length(const LengthProjection& in, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(in.batch), static_cast<unsigned>(2 * in.width / kTile),
                  static_cast<unsigned>(divide_up(in.slots, kSlots)));
  forward_kernel<<<grid, kTileThreads, 0, stream>>>(in);
}

std::int64_t length_projection_partial_floats(const LengthProjection& in) {
  return in.batch * 2 * in.slots * in.max_length;
}

void project_length_backward(const LengthProjectionBackward& in, cudaStream_t stream) {
  const LengthProjection& forward = in.forward;
  const std::int64_t token_tiles = divide_up(forward.max_length, kTile);
  const auto batch = static_cast<unsigned>(forward.batch);
  const dim3 grid(batch, static_cast<unsigned>(2 * forward.width / kTile),
                  static_cast<unsigned>(token_tiles));
  kv_gradient_kernel<<<grid, kTileThreads, 0, stream>>>(in);
  const dim3 tiles(static_cast<unsigned>(token_tiles * divide_up(forward.slots, kSlots)), batch, 2);
  projection_gradient_kernel<<<tiles, kTileThreads, 0, stream>>>(in);
  const std::int64_t elements = 2 * forward.slots * forward.max_length;
  sum_partials_kernel<<<static_cast<unsigned>(divide_up(elements, kSumThreads)), kSumThreads, 0,
                        stream>>>(in);
}

}  // namespace linformer
