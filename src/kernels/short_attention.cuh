// SPDX-License-Identifier: Apache-2.0
// What the passes of attention of short sequences share. Blocks of two groups of four warps. A warp
// owns 16 rows of a tile of 64 and multiplies them with half of the rows of other tiles in shared
// memory (mma.m16n8k16); the groups' halves are added up at the end, which halves the chain of a
// long sequence's tiles, and with it the kernel's time.
#pragma once

#include "kernels/short_attention_cuda.h"
#include "kernels/tensor_tile.cuh"

namespace linformer {

constexpr int kGroup = kTileThreads;  // threads
constexpr int kThreads = 2 * kGroup;
constexpr int kHalf = kTile / 2;  // rows of a met tile for each group
static_assert(kTile == kAttentionTile);

/// Adds the products of 16 rows of a tile, from `own_row`, with 16 of another, from `row`: two 16 x
/// 8 results.
template <int kWidth>
__device__ void add_scores(const Tile<kWidth>& own, int own_row, const Tile<kWidth>& other, int row,
                           int lane, float (&out)[2][4]) {
#pragma unroll
  for (int i = 0; i < kWidth / 16; ++i) {
    const Fragment a = own.left(own_row, i * 16, lane);
    const Fragment b = other.right_transposed(row, i * 16, lane);
    multiply(out[0], a, b.r[0], b.r[1]);
    multiply(out[1], a, b.r[2], b.r[3]);
  }
}

/// A sequence, as a block sees it; blocks of its heads follow one another.
struct Place {
  int query_start, queries, key_start, keys;
  std::int64_t column;  // of the head

  __device__ Place(const AttentionTask& task, std::int64_t head_width)
      : query_start(task.query_start),
        queries(task.queries),
        key_start(task.key_start),
        keys(task.keys),
        column(blockIdx.x * head_width) {}
  __device__ bool is_long() const { return queries > kTile || keys > kTile; }
};

__device__ inline AttentionTask task_of_block(const AttentionTask* task_P) {
  AttentionTask task;
  const auto* from = reinterpret_cast<const int4*>(task_P + blockIdx.y);
  auto* to = reinterpret_cast<int4*>(&task);
  to[0] = from[0];
  to[1] = from[1];
  return task;
}

/// What the second group hands to the first: numbers of a thread, side by side for its lanes.
template <int kCount>
struct Handover {
  float values[kGroup / kWarp][kCount][kWarp];

  __device__ float& at(int i) {
    return values[threadIdx.x / kWarp % (kGroup / kWarp)][i][threadIdx.x % kWarp];
  }
};

}  // namespace linformer
