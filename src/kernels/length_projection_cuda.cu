// SPDX-License-Identifier: Apache-2.0
// The products are small (2 n K M a sequence): plain float32 arithmetic on tiles in shared memory.
#include "kernels/cuda_support.cuh"
#include "kernels/length_projection_cuda.h"

namespace linformer {
namespace {

constexpr int kThreads = 256;
constexpr int kTile = 32;     // slots, or tokens
constexpr int kColumns = 64;  // of keys or values

__device__ float value(const void* base, std::int64_t index) {
  return __bfloat162float(static_cast<const __nv_bfloat16*>(base)[index]);
}

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

/// One sequence, kTile slots and kColumns columns a block; 2 slots times 4 columns a thread.
__global__ void __launch_bounds__(kThreads) forward_kernel(LengthProjection in) {
  __shared__ float weights[kTile][kTile + 1];  // [token][slot]
  __shared__ float tokens[kTile][kColumns];
  const Sequence sequence = sequence_of(in, blockIdx.x);
  const int first_slot = blockIdx.z * kTile;
  if (first_slot >= sequence.slots) return;
  const int first_column = blockIdx.y * kColumns;
  const void* projection = first_column < in.width ? in.E_KN : in.F_KN;
  const int slot = threadIdx.x / 16 * 2;
  const int column = threadIdx.x % 16 * 4;
  float sums[2][4] = {};
  for (int first = 0; first < sequence.length; first += kTile) {
    for (int i = threadIdx.x; i < kTile * kTile; i += kThreads) {
      const int token = first + i % kTile;
      const int row = first_slot + i / kTile;
      weights[i % kTile][i / kTile] = token < sequence.length && row < in.slots
                                          ? value(projection, row * in.max_length + token)
                                          : 0.0F;
    }
    for (int i = threadIdx.x; i < kTile * kColumns / 8; i += kThreads) {
      const int token = first + i / (kColumns / 8);
      float x[8] = {};
      if (token < sequence.length) {
        widen(*reinterpret_cast<const Vector8*>(static_cast<const __nv_bfloat16*>(in.kv_T2M) +
                                                (sequence.start + token) * in.kv_stride +
                                                first_column + i % (kColumns / 8) * 8),
              x);
      }
#pragma unroll
      for (int j = 0; j < 8; ++j) tokens[i / (kColumns / 8)][i % (kColumns / 8) * 8 + j] = x[j];
    }
    __syncthreads();
#pragma unroll
    for (int token = 0; token < kTile; ++token) {
      const float4 x = *reinterpret_cast<const float4*>(&tokens[token][column]);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const float weight = weights[token][slot + i];
        sums[i][0] += weight * x.x;
        sums[i][1] += weight * x.y;
        sums[i][2] += weight * x.z;
        sums[i][3] += weight * x.w;
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int at = first_slot + slot + i;
    if (at >= sequence.slots) continue;
    const float scale = factor(in, sequence.length, at);
    auto* out = static_cast<__nv_bfloat16*>(in.slots_S2M) +
                (in.slot_start_B1[blockIdx.x] + at) * 2 * in.width + first_column + column;
#pragma unroll
    for (int j = 0; j < 4; ++j) out[j] = __float2bfloat16(sums[i][j] * scale);
  }
}

/// Gradient of the keys and values: one sequence, kTile tokens and kColumns columns a block.
__global__ void __launch_bounds__(kThreads) kv_gradient_kernel(LengthProjectionBackward in) {
  __shared__ float weights[kTile][kTile + 1];  // [slot][token]
  __shared__ float slots[kTile][kColumns];
  const LengthProjection& forward = in.forward;
  const Sequence sequence = sequence_of(forward, blockIdx.x);
  const int first_token = blockIdx.z * kTile;
  if (first_token >= sequence.length) return;
  const int first_column = blockIdx.y * kColumns;
  const void* projection = first_column < forward.width ? forward.E_KN : forward.F_KN;
  const int slot_start = forward.slot_start_B1[blockIdx.x];
  const int token = threadIdx.x / 16 * 2;
  const int column = threadIdx.x % 16 * 4;
  float sums[2][4] = {};
  for (int first = 0; first < sequence.slots; first += kTile) {
    for (int i = threadIdx.x; i < kTile * kTile; i += kThreads) {
      const int row = first + i / kTile;
      const int at = first_token + i % kTile;
      weights[i / kTile][i % kTile] = row < sequence.slots && at < sequence.length
                                          ? value(projection, row * forward.max_length + at) *
                                                factor(forward, sequence.length, row)
                                          : 0.0F;
    }
    for (int i = threadIdx.x; i < kTile * kColumns; i += kThreads) {
      const int row = first + i / kColumns;
      slots[i / kColumns][i % kColumns] =
          row < sequence.slots
              ? value(in.slots_gradient_S2M,
                      (slot_start + row) * 2 * forward.width + first_column + i % kColumns)
              : 0.0F;
    }
    __syncthreads();
#pragma unroll
    for (int slot = 0; slot < kTile; ++slot) {
      const float4 x = *reinterpret_cast<const float4*>(&slots[slot][column]);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const float weight = weights[slot][token + i];
        sums[i][0] += weight * x.x;
        sums[i][1] += weight * x.y;
        sums[i][2] += weight * x.z;
        sums[i][3] += weight * x.w;
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int at = first_token + token + i;
    if (at >= sequence.length) continue;
    auto* out = static_cast<__nv_bfloat16*>(in.kv_gradient_T2M) +
                (sequence.start + at) * 2 * forward.width + first_column + column;
#pragma unroll
    for (int j = 0; j < 4; ++j) out[j] = __float2bfloat16(sums[i][j]);
  }
}

/// Gradient of E (blockIdx.z even) or F (odd) from one sequence: kTile slots by kTile tokens a
/// block, 2 by 2 a thread.
__global__ void __launch_bounds__(kThreads)
    projection_gradient_kernel(LengthProjectionBackward in) {
  __shared__ float slots[kTile][kColumns + 4];
  __shared__ float tokens[kTile][kColumns + 4];
  const LengthProjection& forward = in.forward;
  const int token_tiles = static_cast<int>((forward.max_length + kTile - 1) / kTile);
  const int first_token = blockIdx.x % token_tiles * kTile;
  const int first_slot = blockIdx.x / token_tiles * kTile;
  const Sequence sequence = sequence_of(forward, blockIdx.y);
  if (first_token >= sequence.length || first_slot >= sequence.slots) return;
  const bool is_value = blockIdx.z == 1;
  const std::int64_t offset = is_value ? forward.width : 0;
  const std::int64_t slot_row = forward.slot_start_B1[blockIdx.y] + first_slot;
  const std::int64_t token_row = sequence.start + first_token;
  const int token = threadIdx.x % 16;  // and 16 below
  const int slot = threadIdx.x / 16;
  // A thread copies eight columns of a slot and of a token.
  const int row = threadIdx.x / 8;
  const int vector = threadIdx.x % 8 * 8;
  float sums[2][2] = {};
  for (std::int64_t first = 0; first < forward.width; first += kColumns) {
    float x[8] = {};
    float y[8] = {};
    if (first_slot + row < sequence.slots) {
      widen(*reinterpret_cast<const Vector8*>(
                static_cast<const __nv_bfloat16*>(in.slots_gradient_S2M) +
                (slot_row + row) * 2 * forward.width + offset + first + vector),
            x);
    }
    if (first_token + row < sequence.length) {
      widen(*reinterpret_cast<const Vector8*>(static_cast<const __nv_bfloat16*>(forward.kv_T2M) +
                                              (token_row + row) * forward.kv_stride + offset +
                                              first + vector),
            y);
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      slots[row][vector + i] = x[i];
      tokens[row][vector + i] = y[i];
    }
    __syncthreads();
#pragma unroll
    for (int column = 0; column < kColumns; column += 4) {
      float4 a[2];
      float4 b[2];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        a[i] = *reinterpret_cast<const float4*>(&slots[slot + 16 * i][column]);
        b[i] = *reinterpret_cast<const float4*>(&tokens[token + 16 * i][column]);
      }
#pragma unroll
      for (int i = 0; i < 2; ++i) {
#pragma unroll
        for (int j = 0; j < 2; ++j) {
          sums[i][j] += a[i].x * b[j].x + a[i].y * b[j].y + a[i].z * b[j].z + a[i].w * b[j].w;
        }
      }
    }
  }
  float* partial = in.partial + (static_cast<std::int64_t>(blockIdx.y) * 2 + (is_value ? 1 : 0)) *
                                    forward.slots * forward.max_length;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const int own_slot = first_slot + slot + 16 * i;
      const int own_token = first_token + token + 16 * j;
      if (own_slot < sequence.slots && own_token < sequence.length) {
        partial[own_slot * forward.max_length + own_token] =
            sums[i][j] * factor(forward, sequence.length, own_slot);
      }
    }
  }
}

/// Adds up what the sequences that reach a slot and a token have left there.
__global__ void sum_partials_kernel(LengthProjectionBackward in) {
  const LengthProjection& forward = in.forward;
  const std::int64_t size = forward.slots * forward.max_length;
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= 2 * size) return;
  const std::int64_t cell = index < size ? index : index - size;
  const std::int64_t slot = cell / forward.max_length;
  const std::int64_t token = cell % forward.max_length;
  float sum = 0;
  for (int b = 0; b < forward.batch; ++b) {
    const Sequence sequence = sequence_of(forward, b);
    if (token < sequence.length && slot < sequence.slots) sum += in.partial[b * 2 * size + index];
  }
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
  const dim3 grid(static_cast<unsigned>(in.batch), static_cast<unsigned>(2 * in.width / kColumns),
                  static_cast<unsigned>(divide_up(in.slots, kTile)));
  forward_kernel<<<grid, kThreads, 0, stream>>>(in);
}

std::int64_t length_projection_partial_floats(const LengthProjection& in) {
  return in.batch * 2 * in.slots * in.max_length;
}

void project_length_backward(const LengthProjectionBackward& in, cudaStream_t stream) {
  const LengthProjection& forward = in.forward;
  const dim3 grid(static_cast<unsigned>(forward.batch),
                  static_cast<unsigned>(2 * forward.width / kColumns),
                  static_cast<unsigned>(divide_up(forward.max_length, kTile)));
  kv_gradient_kernel<<<grid, kThreads, 0, stream>>>(in);
  const dim3 tiles(
      static_cast<unsigned>(divide_up(forward.max_length, kTile) * divide_up(forward.slots, kTile)),
      static_cast<unsigned>(forward.batch), 2);
  projection_gradient_kernel<<<tiles, kThreads, 0, stream>>>(in);
  const std::int64_t elements = 2 * forward.slots * forward.max_length;
  sum_partials_kernel<<<static_cast<unsigned>(divide_up(elements, kThreads)), kThreads, 0,
                        stream>>>(in);
}

}  // namespace linformer
