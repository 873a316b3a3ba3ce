// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/length_projection_cuda.h"
#include "kernels/tensor_tile.cuh"

namespace linformer {
namespace {

constexpr int kSlots = 32;  // of a tile; its tokens and columns are kTile
constexpr int kStages = 2;  // tiles under way or in use
constexpr int kBlocks = 8;  // of a multiprocessor, wanted
using SlotTile = Tile<kTile, kSlots>;
constexpr int kSumCells = 32;
constexpr int kSumGroups = 8;
constexpr int kSumSequences = 256;
constexpr int kSumsTogether = 24;  // projections: what a kernel's parameters hold

struct Sequence {
  int start;
  int length;
  int slots;
  int slot_start;  // of sequence_with_slots alone
};

/// A block's share of a sequence's tiles of tokens, every stride-th from `own` on, and for each of
/// them all tiles of slots: a place that goes from one to the next, without divisions.
struct TileStep {
  int first_token;
  int first_slot = 0;

  __device__ explicit TileStep(int own) : first_token(own * kTile) {}
  __device__ bool is_last_slots(const Sequence& sequence) const {
    return first_slot + kSlots >= sequence.slots;
  }
  __device__ bool is_there(const Sequence& sequence) const { return first_token < sequence.length; }
  __device__ void advance(const Sequence& sequence, int stride) {
    const bool is_last = is_last_slots(sequence);
    first_slot = is_last ? 0 : first_slot + kSlots;
    if (is_last) first_token += stride * kTile;
  }
};

/// A load that begins where it stands, not where its value is used.
__device__ int load_now(const std::int32_t* from) {
  int out;
  asm volatile("ld.global.nc.b32 %0, [%1];" : "=r"(out) : "l"(from));
  return out;
}

__device__ Sequence sequence_of(const LengthProjection& in, int b) {
  Sequence out;
  out.start = in.start_B1[b];
  out.length = in.start_B1[b + 1] - out.start;
  out.slots = in.all_slots ? (out.length > 0 ? static_cast<int>(in.slots) : 0)
                           : min(out.length, static_cast<int>(in.slots));
  return out;
}

__device__ Sequence sequence_with_slots(const LengthProjection& in, int b) {
  const int slot_start = load_now(in.slot_start_B1 + b);
  Sequence out = sequence_of(in, b);
  out.slot_start = slot_start;
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
/// arrives with the copies and a barrier.
__device__ void load_projection(const void* base, const LengthProjection& in, int first_slot,
                                int first_token, SlotTile& to) {
  const auto* from = static_cast<const __nv_bfloat16*>(base);
  if (in.max_length % 8 == 0) {
    for (int i = threadIdx.x; i < kSlots * kTile / 8; i += kTileThreads) {
      const int row = i / (kTile / 8);
      const int column = i % (kTile / 8) * 8;
      const bool is_real = first_slot + row < in.slots && first_token + column < in.max_length;
      copy_async(to.data + row * SlotTile::kStride + column,
                 is_real ? from + (first_slot + row) * in.max_length + first_token + column : from,
                 is_real);
    }
    return;
  }
#pragma unroll 1
  for (int i = threadIdx.x; i < kSlots * kTile; i += kTileThreads) {
    const int slot = first_slot + i / kTile;
    const int token = first_token + i % kTile;
    to.data[i / kTile * SlotTile::kStride + i % kTile] = slot < in.slots && token < in.max_length
                                                             ? from[slot * in.max_length + token]
                                                             : __float2bfloat16(0.0F);
  }
}

/// The gradient of slots from row slot_start on, from column `column` on.
__device__ const void* slots_gradient_of(const LengthProjectionBackward& in,
                                         std::int64_t slot_start, int column) {
  return at_row(in.slots_gradient_S2M, slot_start * 2 * in.forward.width + column);
}

/// Of keys or of values, by the tile of columns.
__device__ const void* projection_of(const LengthProjection& in, int column) {
  return column < in.width ? in.E_KN : in.F_KN;
}

/// Runs use(stage) for each step, while load(stage), which is false where there are no more steps,
/// has begun the copies of the next kStages - 1.
template <typename Load, typename Use>
__device__ void pipeline(const Load& load, const Use& use) {
  int begun = 0;
  const auto begin = [&](int stage) {
    if (load(stage)) ++begun;
    commit_copies();
  };
#pragma unroll
  for (int stage = 0; stage < kStages - 1; ++stage) begin(stage);
  int stage = 0;
#pragma unroll 1
  for (int step = 0; step < begun; ++step) {
    wait_for_groups<kStages - 2>();
    __syncthreads();  // and the stage that is filled next has been read
    begin(stage == 0 ? kStages - 1 : stage - 1);
    use(stage);
    stage = stage == kStages - 1 ? 0 : stage + 1;
  }
}

__device__ void store_slots(const LengthProjection& in, const Sequence& sequence, int first_slot,
                            int column, int lane, const float (&sums)[4][4]) {
  const std::int64_t row_width = 2 * in.width;
  auto* out = static_cast<__nv_bfloat16*>(in.slots_S2M) + sequence.slot_start * row_width + column +
              lane % 4 * 2;
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

/// One sequence, 32 slots and 64 columns of keys or values a block; 16 by 32 a warp.
__global__ void __launch_bounds__(kTileThreads, kBlocks)
    forward_kernel(const __grid_constant__ LengthProjection in) {
  await_previous();
  __shared__ SlotTile weights[kStages];
  __shared__ Tile<kTile> tokens[kStages];
  const Sequence sequence = sequence_with_slots(in, blockIdx.x);
  const int first_slot = blockIdx.z * kSlots;
  if (first_slot >= sequence.slots) return;
  const int column = blockIdx.y * kTile;
  const void* projection = projection_of(in, column);
  const int lane = threadIdx.x % kWarp;
  const int own_slot = threadIdx.x / kWarp % 2 * 16;
  const int own_column = threadIdx.x / kWarp / 2 * 32;
  float sums[4][4] = {};
  int first_token = 0;
  const auto load = [&](int stage) {
    if (first_token >= sequence.length) return false;
    load_projection(projection, in, first_slot, first_token, weights[stage]);
    tokens[stage].load_async(at_row(in.kv_T2M, sequence.start * in.kv_stride + column),
                             in.kv_stride, first_token, sequence.length);
    first_token += kTile;
    return true;
  };
  const auto use = [&](int stage) {
#pragma unroll
    for (int k = 0; k < kTile; k += 16) {
      const Fragment a = weights[stage].left(own_slot, k, lane);
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        const Fragment b = tokens[stage].right(k, own_column + j * 16, lane);
        multiply(sums[2 * j], a, b.r[0], b.r[1]);
        multiply(sums[2 * j + 1], a, b.r[2], b.r[3]);
      }
    }
  };
  pipeline(load, use);
  store_slots(in, sequence, first_slot + own_slot, column + own_column, lane, sums);
}

/// 16 x 16 of E or F, transposed, times the factors of its slots, from first_slot on.
__device__ Fragment times_factors(const LengthProjection& in, const Sequence& sequence,
                                  int first_slot, int lane, Fragment of) {
  if (in.all_slots) return of;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int slot = first_slot + i / 2 * 8 + lane % 4 * 2;
    const float low = __uint_as_float(of.r[i] << 16);
    const float high = __uint_as_float(of.r[i] & 0xFFFF0000U);
    // A slot without tokens has a gradient of zeros, and any factor.
    const int last = sequence.slots - 1;
    of.r[i] = packed(low * factor(in, sequence.length, min(slot, last)),
                     high * factor(in, sequence.length, min(slot + 1, last)));
  }
  return of;
}

/// Gradient of the keys and values: one sequence, some tiles of tokens and 64 columns a block; 16
/// by 64 a warp.
__global__ void __launch_bounds__(kTileThreads, kBlocks)
    kv_gradient_kernel(const __grid_constant__ LengthProjectionBackward in) {
  await_previous();
  __shared__ SlotTile weights[kStages];
  __shared__ SlotTile slots[kStages];
  const LengthProjection& forward = in.forward;
  const Sequence sequence = sequence_with_slots(forward, blockIdx.x);
  TileStep loaded(blockIdx.z);
  TileStep used = loaded;
  if (!used.is_there(sequence)) return;
  const int column = blockIdx.y * kTile;
  const void* projection = projection_of(forward, column);
  const int lane = threadIdx.x % kWarp;
  const int own_token = threadIdx.x / kWarp * 16;
  Sums<kTile> sums;
  const auto load = [&](int stage) {
    if (!loaded.is_there(sequence)) return false;
    load_projection(projection, forward, loaded.first_slot, loaded.first_token, weights[stage]);
    slots[stage].load_async(slots_gradient_of(in, sequence.slot_start, column), 2 * forward.width,
                            loaded.first_slot, sequence.slots);
    loaded.advance(sequence, gridDim.z);
    return true;
  };
  const auto use = [&](int stage) {
#pragma unroll
    for (int k = 0; k < kSlots; k += 16) {
      const Fragment left = weights[stage].left_transposed(k, own_token, lane);
      sums.add(times_factors(forward, sequence, used.first_slot + k, lane, left), slots[stage], k,
               lane);
    }
    if (used.is_last_slots(sequence)) {
      sums.store(at_row(in.kv_gradient_T2M, sequence.start * in.kv_gradient_stride + column),
                 in.kv_gradient_stride, used.first_token + own_token, sequence.length, lane, 1.0F,
                 1.0F);
      sums = {};
    }
    used.advance(sequence, gridDim.z);
  };
  pipeline(load, use);
}

/// What projection_gradient_kernel has in shared memory.
template <int kTilesAtOnce>
union WeightGradientTiles {
  struct {
    SlotTile slots;
    Tile<kTile> tokens;
  } tiles[kTilesAtOnce];
  float2 sums[kTilesAtOnce][kSlots * kTile / 2];
};

/// Gradient of E (blockIdx.z 0) or F (1) from one sequence: 32 slots and some tiles of 64 tokens a
/// block. Each of kTilesAtOnce warps has all of a tile from 64 columns at a time; all its copies
/// are under way together.
template <int kTilesAtOnce>
__global__ void __launch_bounds__(kTilesAtOnce* kWarp)
    projection_gradient_kernel(const __grid_constant__ LengthProjectionBackward in,
                               int token_parts) {
  constexpr int kThreads = kTilesAtOnce * kWarp;
  extern __shared__ __align__(16) char memory[];
  auto& shared = *reinterpret_cast<WeightGradientTiles<kTilesAtOnce>*>(memory);
  const LengthProjection& forward = in.forward;
  const Sequence sequence = sequence_with_slots(forward, blockIdx.y);
  const int own_token = static_cast<int>(blockIdx.x) % token_parts * kTile;
  const int first_slot = blockIdx.x / token_parts * kSlots;
  if (own_token >= sequence.length || first_slot >= sequence.slots) return;
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  const int column_tiles = static_cast<int>(forward.width) / kTile;
  const int offset = blockIdx.z * static_cast<int>(forward.width);
  auto& own = shared.tiles[warp];
  float* partial = in.partial + (static_cast<std::int64_t>(blockIdx.y) * 2 + blockIdx.z) *
                                    forward.slots * forward.max_length;
#pragma unroll 1
  for (int first_token = own_token; first_token < sequence.length;
       first_token += token_parts * kTile) {
    float sums[kSlots / 16][kTile / 8][4] = {};
#pragma unroll 1
    for (int first = 0; first < column_tiles; first += kTilesAtOnce) {
      __syncthreads();  // what was there has been read
#pragma unroll 1
      for (int i = 0; i < min(kTilesAtOnce, column_tiles - first); ++i) {
        const int column = offset + (first + i) * kTile;
        shared.tiles[i].slots.template load_async<kThreads>(
            slots_gradient_of(in, sequence.slot_start, column), 2 * forward.width, first_slot,
            sequence.slots);
        shared.tiles[i].tokens.template load_async<kThreads>(
            at_row(forward.kv_T2M, sequence.start * forward.kv_stride + column), forward.kv_stride,
            first_token, sequence.length);
      }
      wait_for_copies();
      __syncthreads();
      if (first + warp >= column_tiles) continue;
#pragma unroll
      for (int k = 0; k < kTile; k += 16) {
#pragma unroll
        for (int row = 0; row < kSlots / 16; ++row) {
          const Fragment a = own.slots.left(row * 16, k, lane);
#pragma unroll
          for (int j = 0; j < kTile / 16; ++j) {
            const Fragment b = own.tokens.right_transposed(j * 16, k, lane);
            multiply(sums[row][2 * j], a, b.r[0], b.r[1]);
            multiply(sums[row][2 * j + 1], a, b.r[2], b.r[3]);
          }
        }
      }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < kSlots * kTile / 2 / kWarp; ++i) {
      const float* pair = &sums[i / 16][i / 2 % 8][i % 2 * 2];
      shared.sums[warp][i * kWarp + lane] = {pair[0], pair[1]};
    }
    __syncthreads();
#pragma unroll
    for (int i = warp; i < kSlots * kTile / 2 / kWarp; i += kTilesAtOnce) {
      float2 sum = {0, 0};
#pragma unroll
      for (int w = 0; w < kTilesAtOnce; ++w) {
        const float2 one = shared.sums[w][i * kWarp + lane];
        sum.x += one.x;
        sum.y += one.y;
      }
      const int slot = first_slot + i / 16 * 16 + i % 2 * 8 + lane / 4;
      const int token = first_token + i / 2 % 8 * 8 + lane % 4 * 2;
      if (slot >= sequence.slots) continue;
      const float scale = factor(forward, sequence.length, slot);
      float* out = partial + slot * forward.max_length + token;
      if (token < sequence.length) out[0] = sum.x * scale;
      if (token + 1 < sequence.length) out[1] = sum.y * scale;
    }
  }
}

struct ProjectionTable {
  LengthProjectionBackward projections[kSumsTogether];
};

/// Adds up what the sequences that reach a slot and a token have left there: kSumGroups threads a
/// cell, each for every kSumGroups-th sequence.
__global__ void __launch_bounds__(kSumCells* kSumGroups)
    sum_partials_kernel(const __grid_constant__ ProjectionTable table) {
  const LengthProjectionBackward& in = table.projections[blockIdx.y];
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

template <int kTilesAtOnce>
void launch_weight_parts(const LengthProjectionBackward& in, dim3 grid, int token_parts,
                         cudaStream_t stream) {
  constexpr int kBytes = sizeof(WeightGradientTiles<kTilesAtOnce>);
  cudaFuncSetAttribute(projection_gradient_kernel<kTilesAtOnce>,
                       cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  projection_gradient_kernel<kTilesAtOnce>
      <<<grid, kTilesAtOnce * kWarp, kBytes, stream>>>(in, token_parts);
}

/// Of keys and of values.
std::int64_t column_tiles(const LengthProjection& in) { return 2 * in.width / kTile; }

/// How many blocks share the tokens of a sequence, so that there are enough of them in all; empty
/// ones cost time as well.
unsigned token_parts(const LengthProjection& in, std::int64_t other_blocks) {
  constexpr std::int64_t kEnough = 1024;
  return static_cast<unsigned>(std::clamp<std::int64_t>(divide_up(kEnough, in.batch * other_blocks),
                                                        1, divide_up(in.max_length, kTile)));
}

}  // namespace

void find_slot_starts(const std::int32_t* start_B1, std::int64_t batch, std::int64_t slots,
                      bool all_slots, std::int32_t* slot_start_B1, cudaStream_t stream) {
  slot_start_kernel<<<1, 256, 0, stream>>>(start_B1, static_cast<int>(batch),
                                           static_cast<int>(slots), all_slots, slot_start_B1);
}

void project_length(const LengthProjection& in, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(in.batch), static_cast<unsigned>(column_tiles(in)),
                  static_cast<unsigned>(divide_up(in.slots, kSlots)));
  launch_early(forward_kernel, {grid, kTileThreads, 0, stream}, in);
}

std::int64_t length_projection_partial_floats(const LengthProjection& in) {
  return in.batch * 2 * in.slots * in.max_length;
}

void project_length_key_value_gradient(const LengthProjectionBackward& in, cudaStream_t stream) {
  const LengthProjection& forward = in.forward;
  const std::int64_t columns = column_tiles(forward);
  const dim3 grid(static_cast<unsigned>(forward.batch), static_cast<unsigned>(columns),
                  token_parts(forward, columns));
  launch_early(kv_gradient_kernel, {grid, kTileThreads, 0, stream}, in);
}

void project_length_weight_parts(const LengthProjectionBackward& in, cudaStream_t stream) {
  const LengthProjection& forward = in.forward;
  const std::int64_t slot_tiles = divide_up(forward.slots, kSlots);
  // Four times as wide as blocks of the others.
  const unsigned parts = token_parts(forward, 2 * slot_tiles * 4);
  const dim3 grid(static_cast<unsigned>(slot_tiles) * parts, static_cast<unsigned>(forward.batch),
                  2);
  if (has_shared_memory(sizeof(WeightGradientTiles<8>))) {
    launch_weight_parts<8>(in, grid, static_cast<int>(parts), stream);
  } else {
    launch_weight_parts<4>(in, grid, static_cast<int>(parts), stream);
  }
}

void project_length_weight_gradients(std::span<const LengthProjectionBackward> projections,
                                     cudaStream_t stream) {
  while (!projections.empty()) {
    const std::size_t count = std::min<std::size_t>(kSumsTogether, projections.size());
    ProjectionTable table{};
    std::int64_t elements = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const LengthProjection& forward = projections[i].forward;
      table.projections[i] = projections[i];
      elements = std::max(elements, 2 * forward.slots * forward.max_length);
    }
    const dim3 grid(static_cast<unsigned>(divide_up(elements, kSumCells)),
                    static_cast<unsigned>(count));
    sum_partials_kernel<<<grid, dim3(kSumCells, kSumGroups), 0, stream>>>(table);
    projections = projections.subspan(count);
  }
}

}  // namespace linformer
