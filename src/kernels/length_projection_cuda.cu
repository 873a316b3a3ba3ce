// SPDX-License-Identifier: Apache-2.0
#include "kernels/length_projection_cuda.h"
#include "kernels/tensor_tile.cuh"

namespace linformer {
namespace {

constexpr int kSlots = 32;       // of a tile; its tokens and columns are kTile
constexpr int kColumnTiles = 2;  // of a block
constexpr int kSumCells = 32;
constexpr int kSumGroups = 8;
constexpr int kSumSequences = 256;

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

/// A corner of E or F as a tile: slots first_slot .. first_slot + 31 by 64 tokens, 0 outside. It
/// arrives with wait_for_copies and a barrier.
__device__ void load_projection(const void* base, const LengthProjection& in, int first_slot,
                                int first_token, Tile<kTile>& to) {
  const auto* from = static_cast<const __nv_bfloat16*>(base);
  if (in.max_length % 8 == 0) {
    for (int i = threadIdx.x; i < kSlots * kTile / 8; i += kTileThreads) {
      const int row = i / (kTile / 8);
      const int column = i % (kTile / 8) * 8;
      const bool is_real = first_slot + row < in.slots && first_token + column < in.max_length;
      copy_async(to.data + row * Tile<kTile>::kStride + column,
                 is_real ? from + (first_slot + row) * in.max_length + first_token + column : from,
                 is_real);
    }
    return;
  }
#pragma unroll 1
  for (int i = threadIdx.x; i < kSlots * kTile; i += kTileThreads) {
    const int slot = first_slot + i / kTile;
    const int token = first_token + i % kTile;
    to.data[i / kTile * Tile<kTile>::kStride + i % kTile] = slot < in.slots && token < in.max_length
                                                                ? from[slot * in.max_length + token]
                                                                : __float2bfloat16(0.0F);
  }
}

/// Rows of the slots' gradient, times the factors of their slots.
__device__ void load_slots(const LengthProjectionBackward& in, const Sequence& sequence,
                           std::int64_t slot_row, int first_slot, std::int64_t first_column,
                           Tile<kTile>& to) {
  const auto* from = static_cast<const __nv_bfloat16*>(in.slots_gradient_S2M);
#pragma unroll 1
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

/// A block's columns: kColumnTiles tiles of 64, all of keys or all of values where a side has that
/// many.
struct Columns {
  int first;  // tiles
  int count;

  __device__ Columns(const LengthProjection& in, int group) {
    const int tiles = static_cast<int>(in.width) / kTile;  // of a side
    const int groups = (tiles + kColumnTiles - 1) / kColumnTiles;
    first = group / groups * tiles + group % groups * kColumnTiles;
    count = min(kColumnTiles, tiles - group % groups * kColumnTiles);
  }
};

unsigned column_groups(const LengthProjection& in) {
  return static_cast<unsigned>(2 * divide_up(in.width / kTile, kColumnTiles));
}

__device__ void store_slots(const LengthProjection& in, const Sequence& sequence, int first_slot,
                            int column, int lane, const float (&sums)[4][4]) {
  const std::int64_t row_width = 2 * in.width;
  auto* out = static_cast<__nv_bfloat16*>(in.slots_S2M) + in.slot_start_B1[blockIdx.x] * row_width +
              column + lane % 4 * 2;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int slot = first_slot + lane / 4 + half * 8;
    if (slot >= sequence.slots) continue;
    const float scale = factor(in, sequence.length, slot);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      *reinterpret_cast<unsigned*>(out + slot * row_width + j * 8) =
          packed(sums[j][2 * half] * scale, sums[j][2 * half + 1] * scale);
    }
  }
}

/// One sequence, 32 slots and some tiles of columns of keys or values a block; 16 by 32 a warp.
/// Tiles of tokens and columns arrive while those before them are used; a sequence of one tile of
/// tokens loads its corner of E or F once.
__global__ void __launch_bounds__(kTileThreads)
    forward_kernel(const __grid_constant__ LengthProjection in) {
  __shared__ Tile<kTile> weights[2];
  __shared__ Tile<kTile> tokens[2];
  const Sequence sequence = sequence_of(in, blockIdx.x);
  const int first_slot = blockIdx.z * kSlots;
  if (first_slot >= sequence.slots) return;
  const Columns columns(in, blockIdx.y);
  const void* projection = columns.first * kTile < in.width ? in.E_KN : in.F_KN;
  const int lane = threadIdx.x % kWarp;
  const int own_slot = threadIdx.x / kWarp % 2 * 16;
  const int own_column = threadIdx.x / kWarp / 2 * 32;
  const int token_tiles = (sequence.length + kTile - 1) / kTile;
  const auto load = [&](int step) {
    const int first = step % token_tiles * kTile;
    const int column = (columns.first + step / token_tiles) * kTile;
    if (token_tiles > 1 || step == 0) {
      load_projection(projection, in, first_slot, first, weights[token_tiles > 1 ? step % 2 : 0]);
    }
    tokens[step % 2].load_async(at_row(in.kv_T2M, sequence.start * in.kv_stride + column),
                                in.kv_stride, first, sequence.length);
  };
  float sums[4][4] = {};
#pragma unroll 1
  for (int step = -1; step < token_tiles * columns.count; ++step) {
    wait_for_copies();
    __syncthreads();  // and the other tiles have been read
    if (step + 1 < token_tiles * columns.count) load(step + 1);
    if (step < 0) continue;
#pragma unroll
    for (int k = 0; k < kTile; k += 16) {
      const Fragment a = weights[token_tiles > 1 ? step % 2 : 0].left(own_slot, k, lane);
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        const Fragment b = tokens[step % 2].right(k, own_column + j * 16, lane);
        multiply(sums[2 * j], a, b.r[0], b.r[1]);
        multiply(sums[2 * j + 1], a, b.r[2], b.r[3]);
      }
    }
    if ((step + 1) % token_tiles != 0) continue;
    store_slots(in, sequence, first_slot + own_slot,
                (columns.first + step / token_tiles) * kTile + own_column, lane, sums);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[j][i] = 0;
    }
  }
}

/// Gradient of the keys and values: one sequence, 64 tokens and some tiles of columns a block; 16
/// by 64 a warp.
__global__ void __launch_bounds__(kTileThreads)
    kv_gradient_kernel(const __grid_constant__ LengthProjectionBackward in) {
  __shared__ Tile<kTile> weights[2];
  __shared__ Tile<kTile> slots[2];
  const LengthProjection& forward = in.forward;
  const Sequence sequence = sequence_of(forward, blockIdx.x);
  const int first_token = blockIdx.z * kTile;
  if (first_token >= sequence.length) return;
  const Columns columns(forward, blockIdx.y);
  const void* projection = columns.first * kTile < forward.width ? forward.E_KN : forward.F_KN;
  const int lane = threadIdx.x % kWarp;
  const int own_token = threadIdx.x / kWarp * 16;
  const int slot_tiles = (sequence.slots + kSlots - 1) / kSlots;
  const std::int64_t slot_row = forward.slot_start_B1[blockIdx.x];
  const auto load = [&](int step) {
    const int first = step % slot_tiles * kSlots;
    const int column = (columns.first + step / slot_tiles) * kTile;
    if (slot_tiles > 1 || step == 0) {
      load_projection(projection, forward, first, first_token,
                      weights[slot_tiles > 1 ? step % 2 : 0]);
    }
    load_slots(in, sequence, slot_row, first, column, slots[step % 2]);
  };
  Sums<kTile> sums;
#pragma unroll 1
  for (int step = -1; step < slot_tiles * columns.count; ++step) {
    wait_for_copies();
    __syncthreads();
    if (step + 1 < slot_tiles * columns.count) load(step + 1);
    if (step < 0) continue;
#pragma unroll
    for (int k = 0; k < kSlots; k += 16) {
      sums.add(weights[slot_tiles > 1 ? step % 2 : 0].left_transposed(k, own_token, lane),
               slots[step % 2], k, lane);
    }
    if ((step + 1) % slot_tiles != 0) continue;
    const int column = (columns.first + step / slot_tiles) * kTile;
    sums.store(at_row(in.kv_gradient_T2M, sequence.start * 2 * forward.width + column),
               2 * forward.width, first_token + own_token, sequence.length, lane, 1.0F, 1.0F);
    sums = {};
  }
}

/// Gradient of E (blockIdx.z 0) or F (1) from one sequence: 32 slots by 64 tokens a block, 16 by 32
/// a warp.
__global__ void __launch_bounds__(kTileThreads)
    projection_gradient_kernel(const __grid_constant__ LengthProjectionBackward in) {
  __shared__ Tile<kTile> slots[2];
  __shared__ Tile<kTile> tokens[2];
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
  const auto load = [&](std::int64_t column) {
    const int to = static_cast<int>(column / kTile % 2);
    tokens[to].load_async(at_row(forward.kv_T2M, sequence.start * forward.kv_stride + column),
                          forward.kv_stride, first_token, sequence.length);
    load_slots(in, sequence, forward.slot_start_B1[blockIdx.y], first_slot, column, slots[to]);
  };
  load(offset);
  for (std::int64_t column = offset; column < offset + forward.width; column += kTile) {
    wait_for_copies();
    __syncthreads();  // and the other tiles have been read
    if (column + kTile < offset + forward.width) load(column + kTile);
    const int from = static_cast<int>(column / kTile % 2);
#pragma unroll
    for (int k = 0; k < kTile; k += 16) {
      const Fragment a = slots[from].left(own_slot, k, lane);
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        const Fragment b = tokens[from].right_transposed(own_token + j * 16, k, lane);
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

/// Adds up what the sequences that reach a slot and a token have left there: kSumGroups threads a
/// cell, each for every kSumGroups-th sequence.
__global__ void __launch_bounds__(kSumCells* kSumGroups)
    sum_partials_kernel(const __grid_constant__ LengthProjectionBackward in) {
  __shared__ Sequence sequences[kSumSequences];
  __shared__ float shared[kSumGroups][kSumCells];
  const LengthProjection& forward = in.forward;
  const std::int64_t size = forward.slots * forward.max_length;
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * kSumCells + threadIdx.x;
  const std::int64_t cell = index < size ? index : index - size;
  const std::int64_t slot = cell / forward.max_length;
  const std::int64_t token = cell % forward.max_length;
  const int own = threadIdx.y * kSumCells + threadIdx.x;
  float sum = 0;
  for (int base = 0; base < forward.batch; base += kSumSequences) {
    const int count = min(kSumSequences, static_cast<int>(forward.batch) - base);
    __syncthreads();
    for (int b = own; b < count; b += kSumCells * kSumGroups) {
      sequences[b] = sequence_of(forward, base + b);
    }
    __syncthreads();
#pragma unroll 8
    for (int b = threadIdx.y; b < count; b += kSumGroups) {
      if (index < 2 * size && token < sequences[b].length && slot < sequences[b].slots) {
        sum += in.partial[(base + b) * 2 * size + index];
      }
    }
  }
  shared[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || index >= 2 * size) return;
  float total = 0;
#pragma unroll
  for (int g = 0; g < kSumGroups; ++g) total += shared[g][threadIdx.x];
  void* base = index < size ? in.E_gradient_KN : in.F_gradient_KN;
  static_cast<__nv_bfloat16*>(base)[cell] = __float2bfloat16(total);
}

}  // namespace

void find_slot_starts(const std::int32_t* start_B1, std::int64_t batch, std::int64_t slots,
                      bool all_slots, std::int32_t* slot_start_B1, cudaStream_t stream) {
  slot_start_kernel<<<1, 256, 0, stream>>>(start_B1, static_cast<int>(batch),
                                           static_cast<int>(slots), all_slots, slot_start_B1);
}

void project_length(const LengthProjection& in, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(in.batch), column_groups(in),
                  static_cast<unsigned>(divide_up(in.slots, kSlots)));
  forward_kernel<<<grid, kTileThreads, 0, stream>>>(in);
}

std::int64_t length_projection_partial_floats(const LengthProjection& in) {
  return in.batch * 2 * in.slots * in.max_length;
}

void project_length_key_value_gradient(const LengthProjectionBackward& in, cudaStream_t stream) {
  const LengthProjection& forward = in.forward;
  const dim3 grid(static_cast<unsigned>(forward.batch), column_groups(forward),
                  static_cast<unsigned>(divide_up(forward.max_length, kTile)));
  kv_gradient_kernel<<<grid, kTileThreads, 0, stream>>>(in);
}

void project_length_weight_gradients(const LengthProjectionBackward& in, cudaStream_t stream) {
  const LengthProjection& forward = in.forward;
  const std::int64_t token_tiles = divide_up(forward.max_length, kTile);
  const auto batch = static_cast<unsigned>(forward.batch);
  const dim3 tiles(static_cast<unsigned>(token_tiles * divide_up(forward.slots, kSlots)), batch, 2);
  projection_gradient_kernel<<<tiles, kTileThreads, 0, stream>>>(in);
  const std::int64_t elements = 2 * forward.slots * forward.max_length;
  sum_partials_kernel<<<static_cast<unsigned>(divide_up(elements, kSumCells)),
                        dim3(kSumCells, kSumGroups), 0, stream>>>(in);
}

}  // namespace linformer
