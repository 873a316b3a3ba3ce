// SPDX-License-Identifier: Apache-2.0
#include "kernels/short_attention.cuh"

namespace linformer {
namespace {

/// The softmax of 16 rows over the keys seen so far, unfinished: a thread has parts of the rows
/// lane / 4 and 8 below.
template <int kWidth>
struct Softmax {
  Sums<kWidth> out;
  float largest[2] = {-INFINITY, -INFINITY};
  float sum[2] = {};

  /// Scales what there is to the largest score `larger`.
  __device__ void rise(int half, float larger) {
    const float factor = exp2_fast(largest[half] - base(larger));
    largest[half] = larger;
    sum[half] *= factor;
#pragma unroll
    for (int i = 0; i < kWidth / 8; ++i) {
      out.values[i][2 * half] *= factor;
      out.values[i][2 * half + 1] *= factor;
    }
  }
  /// A row that has seen no key yet has -inf.
  static __device__ float base(float largest) { return largest == -INFINITY ? 0.0F : largest; }

  static constexpr int kNumbers = kWidth / 2 + 4;
  __device__ void give(Handover<kNumbers>& to) const {
#pragma unroll
    for (int i = 0; i < kWidth / 2; ++i) to.at(i) = out.values[i / 4][i % 4];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      to.at(kWidth / 2 + half) = largest[half];
      to.at(kWidth / 2 + 2 + half) = sum[half];
    }
  }
  __device__ void take(Handover<kNumbers>& from) {
    float factors[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float other = from.at(kWidth / 2 + half);
      rise(half, fmaxf(largest[half], other));
      factors[half] = exp2_fast(other - base(largest[half]));
      sum[half] += factors[half] * from.at(kWidth / 2 + 2 + half);
    }
#pragma unroll
    for (int i = 0; i < kWidth / 2; ++i) {
      out.values[i / 4][i % 4] += factors[i % 4 / 2] * from.at(i);
    }
  }
};

template <int kWidth>
struct ForwardShared {
  Tile<kWidth> queries;
  Tile<kWidth> keys;
  Tile<kWidth> values;

  __device__ auto& handover() {
    using Numbers = Handover<Softmax<kWidth>::kNumbers>;
    static_assert(sizeof(Numbers) <= 2 * sizeof(Tile<kWidth>));
    return reinterpret_cast<Numbers&>(keys);  // and values
  }
};

/// Half a tile of keys, `seen` of which exist at most; `row` and `column` are the thread's first.
template <int kWidth>
__device__ void add_keys(const Fragment (&queries)[kWidth / 16],
                         const ForwardShared<kWidth>& shared, int from, int seen, int row,
                         int column, int keys, bool causal, int lane, Softmax<kWidth>& softmax) {
  const float scale = kLog2E * rsqrtf(static_cast<float>(kWidth));
  float scores[kHalf / 8][4] = {};
#pragma unroll
  for (int j = 0; j < kHalf / 16; ++j) {
    if (j * 16 >= seen) continue;
#pragma unroll
    for (int i = 0; i < kWidth / 16; ++i) {
      const Fragment b = shared.keys.right_transposed(from + j * 16, i * 16, lane);
      multiply(scores[2 * j], queries[i], b.r[0], b.r[1]);
      multiply(scores[2 * j + 1], queries[i], b.r[2], b.r[3]);
    }
  }
  const bool is_edge = seen < kHalf || (causal && column + kHalf > row);
  float tile_largest[2] = {-INFINITY, -INFINITY};
#pragma unroll
  for (int j = 0; j < kHalf / 8; ++j) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      scores[j][i] *= scale;
      if (is_edge) {
        const int key = column + j * 8 + i % 2;
        if (key >= keys || (causal && key > row + i / 2 * 8)) scores[j][i] = -INFINITY;
      }
      tile_largest[i / 2] = fmaxf(tile_largest[i / 2], scores[j][i]);
    }
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    softmax.rise(half, fmaxf(softmax.largest[half], quad_max(tile_largest[half])));
  }
#pragma unroll
  for (int j = 0; j < kHalf / 16; ++j) {
    if (j * 16 >= seen) continue;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      float& score = scores[2 * j + i / 4][i % 4];
      score = exp2_fast(score - softmax.base(softmax.largest[i % 4 / 2]));
      softmax.sum[i % 4 / 2] += score;
    }
    softmax.out.add(as_left(scores[2 * j], scores[2 * j + 1]), shared.values, from + j * 16, lane);
  }
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads, 3)
    forward_kernel(const __grid_constant__ ShortAttention in) {
  await_previous();
  extern __shared__ char memory[];
  auto& shared = *reinterpret_cast<ForwardShared<kWidth>*>(memory);
  const AttentionTask task = task_of_block(in.plan.forward_P);
  if (task.tile < 0) return;
  const Place place(task, in.head_width);
  const int lane = threadIdx.x % kWarp;
  const int own_row = threadIdx.x % kGroup / kWarp * 16;
  const int group = threadIdx.x / kGroup;
  const int first = task.tile * kTile;
  const bool is_used = first + own_row < place.queries;  // has this warp a query
  const auto load_keys = [&](int from) {
    const std::int64_t offset = place.key_start * in.key_value_stride + place.column;
    shared.keys.template load_async<kThreads>(at_row(in.key_SM, offset), in.key_value_stride, from,
                                              place.keys);
    shared.values.template load_async<kThreads>(at_row(in.value_SM, offset), in.key_value_stride,
                                                from, place.keys);
  };
  shared.queries.template load_async<kThreads>(
      at_row(in.query_TM, place.query_start * in.query_stride + place.column), in.query_stride,
      first, place.queries);
  load_keys(0);
  Softmax<kWidth> softmax;
  Fragment queries[kWidth / 16];
  const int end = in.causal ? min(place.keys, first + kTile) : place.keys;
  const int row = first + own_row + lane / 4;
  for (int key = 0; key < end; key += kTile) {
    if (key > 0) {
      __syncthreads();
      load_keys(key);
    }
    wait_for_copies();
    __syncthreads();
    if (key == 0) {
#pragma unroll
      for (int i = 0; i < kWidth / 16; ++i) queries[i] = shared.queries.left(own_row, i * 16, lane);
    }
    const int seen = end - key - group * kHalf;
    if (!is_used || seen <= 0) continue;
    add_keys(queries, shared, group * kHalf, seen, row, key + group * kHalf + lane % 4 * 2,
             place.keys, in.causal, lane, softmax);
  }
  if (end > kHalf) {
    __syncthreads();
    if (group == 1) softmax.give(shared.handover());
    __syncthreads();
    if (group == 0) softmax.take(shared.handover());
  }
  if (!is_used || group == 1) return;
  float inverse[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float sum = quad_sum(softmax.sum[half]);
    inverse[half] = sum > 0 ? 1.0F / sum : 0.0F;
    if (lane % 4 == 0 && row + half * 8 < place.queries) {
      in.lse_HT[blockIdx.x * in.rows + place.query_start + row + half * 8] =
          sum > 0 ? softmax.largest[half] + log2f(sum) : 0.0F;
    }
  }
  const std::int64_t width = in.heads * kWidth;
  softmax.out.store(at_row(in.out_TM, place.query_start * width + place.column), width,
                    first + own_row, place.queries, lane, inverse[0], inverse[1]);
}

template <int kWidth>
void launch_forward(const ShortAttention& in, dim3 grid, cudaStream_t stream) {
  launch_early(forward_kernel<kWidth>, {grid, kThreads, sizeof(ForwardShared<kWidth>), stream}, in);
}

}  // namespace

void short_attention_forward(const ShortAttention& in, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(in.heads), static_cast<unsigned>(in.plan.forward_tasks));
  if (in.head_width == 32) {
    launch_forward<32>(in, grid, stream);
  } else {
    launch_forward<64>(in, grid, stream);
  }
}

}  // namespace linformer
