// SPDX-License-Identifier: Apache-2.0
// A sequence of one tile of queries and one of keys, as most are, is one block's for each head; of
// longer ones a block owns queries or keys and recomputes the scores, so that nothing is added
// across blocks.
#include "kernels/short_attention.cuh"

namespace linformer {
namespace {

/// lse of 64 queries and the products of their outputs with the outputs' gradients.
template <int kWidth>
struct QueryNumbers {
  static constexpr int kSharers = kThreads / kTile;  // threads of a row
  static constexpr int kVectors = kWidth / 8 / kSharers;
  float lse[kTile];
  float delta[kTile];

  /// What a thread has of its row, read beside the tiles.
  struct Part {
    Vector8 out[kVectors];
    float lse;
  };
  static __device__ Part read(const ShortAttention& forward, const Place& place, int first) {
    Part part{};
    const int query = first + static_cast<int>(threadIdx.x) / kSharers;
    // exp2(x - inf) = 0: no such query.
    part.lse = INFINITY;
    if (query >= place.queries) return part;
    const std::int64_t element = (place.query_start + query) * forward.heads * kWidth +
                                 place.column + threadIdx.x % kSharers * (kVectors * 8);
    const auto* from =
        static_cast<const Vector8*>(at_row(static_cast<const void*>(forward.out_TM), element));
#pragma unroll
    for (int i = 0; i < kVectors; ++i) part.out[i] = from[i];
    part.lse = forward.lse_HT[blockIdx.x * forward.rows + place.query_start + query];
    return part;
  }
  /// `gradients` has arrived.
  __device__ void set(const Part& part, const Tile<kWidth>& gradients) {
    const int row = threadIdx.x / kSharers;
    const auto* own = reinterpret_cast<const Vector8*>(
        gradients.data + row * Tile<kWidth>::kStride + threadIdx.x % kSharers * (kVectors * 8));
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kVectors; ++i) {
      float out[8];
      float gradient[8];
      widen(part.out[i], out);
      widen(own[i], gradient);
#pragma unroll
      for (int j = 0; j < 8; ++j) sum += out[j] * gradient[j];
    }
    sum = quad_sum(sum);
    if (threadIdx.x % kSharers == 0) {
      delta[row] = sum;
      lse[row] = part.lse;
    }
  }
};

/// One 16 x 16 piece of P and dS, by rows of queries (kByQuery) or of keys.
struct Piece {
  Fragment weights;
  Fragment gradient;
};

template <bool kByQuery, int kWidth>
__device__ Piece piece_of(const float (&scores)[2][4], const float (&products)[2][4],
                          const QueryNumbers<kWidth>& numbers, int query, int key, int keys,
                          bool causal, float scale, int lane) {
  const bool is_edge = key + 16 > keys || (causal && key + 15 > query);
  float weights[2][4];
  float gradient[2][4];
#pragma unroll
  for (int j = 0; j < 2; ++j) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i / 2 * 8;
      const int column = j * 8 + lane % 4 * 2 + i % 2;
      const int own_query = query % kTile + (kByQuery ? row : column);
      weights[j][i] = exp2_fast(scores[j][i] * scale - numbers.lse[own_query]);
      if (is_edge) {
        const int own_key = key + (kByQuery ? column : row);
        if (own_key >= keys || (causal && own_key > query + (kByQuery ? row : column))) {
          weights[j][i] = 0;
        }
      }
      gradient[j][i] = weights[j][i] * (products[j][i] - numbers.delta[own_query]);
    }
  }
  return {as_left(weights[0], weights[1]), as_left(gradient[0], gradient[1])};
}

/// Two tiles that are read together: queries and the gradients of their outputs, or keys and
/// values.
template <int kWidth>
struct TilePair {
  Tile<kWidth> one;
  Tile<kWidth> other;
};

/// What blocks of the backward pass have in shared memory. While one pair of tiles is used the next
/// arrives in the other.
template <int kWidth>
struct BackwardShared {
  TilePair<kWidth> own;
  TilePair<kWidth> met[2];
  Tile<kTile> exchange;  // gradients of scores, from the owners of keys to those of queries
  Handover<kWidth / 2> sums[2];
  QueryNumbers<kWidth> numbers;
};

/// Adds the second group's sums to the first's. All threads call it.
template <int kWidth>
__device__ void merge(Sums<kWidth>& sums, Handover<kWidth / 2>& handover) {
  const bool is_first = threadIdx.x < kGroup;
#pragma unroll
  for (int i = 0; i < kWidth / 2; ++i) {
    if (!is_first) handover.at(i) = sums.values[i / 4][i % 4];
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kWidth / 2; ++i) {
    if (is_first) sums.values[i / 4][i % 4] += handover.at(i);
  }
}

template <int kWidth>
__device__ void load_queries(const ShortAttentionBackward& in, const Place& place, int from,
                             TilePair<kWidth>& to) {
  const ShortAttention& forward = in.forward;
  const std::int64_t width = forward.heads * kWidth;
  to.one.template load_async<kThreads>(
      at_row(forward.query_TM, place.query_start * forward.query_stride + place.column),
      forward.query_stride, from, place.queries);
  to.other.template load_async<kThreads>(
      at_row(in.out_gradient_TM, place.query_start * width + place.column), width, from,
      place.queries);
}

template <int kWidth>
__device__ void load_keys(const ShortAttention& forward, const Place& place, int from,
                          TilePair<kWidth>& to) {
  const std::int64_t offset = place.key_start * forward.key_value_stride + place.column;
  to.one.template load_async<kThreads>(at_row(forward.key_SM, offset), forward.key_value_stride,
                                       from, place.keys);
  to.other.template load_async<kThreads>(at_row(forward.value_SM, offset), forward.key_value_stride,
                                         from, place.keys);
}

template <int kWidth>
__device__ void store_key_gradients(const ShortAttentionBackward& in, const Place& place, int first,
                                    int lane, const Sums<kWidth>& keys,
                                    const Sums<kWidth>& values) {
  const std::int64_t offset = place.key_start * in.key_value_gradient_stride + place.column;
  const float slope = rsqrtf(static_cast<float>(kWidth));
  keys.store(at_row(in.key_gradient_SM, offset), in.key_value_gradient_stride, first, place.keys,
             lane, slope, slope);
  values.store(at_row(in.value_gradient_SM, offset), in.key_value_gradient_stride, first,
               place.keys, lane, 1.0F, 1.0F);
}

/// Columns of the queries' gradients from `column` of the head.
template <int kWidth, int kColumns>
__device__ void store_query_gradients(const ShortAttentionBackward& in, const Place& place,
                                      int first, int column, int lane,
                                      const Sums<kColumns>& queries) {
  const float slope = rsqrtf(static_cast<float>(kWidth));
  const std::int64_t offset = place.query_start * in.query_gradient_stride + place.column + column;
  queries.store(at_row(in.query_gradient_TM, offset), in.query_gradient_stride, first,
                place.queries, lane, slope, slope);
}

/// A sequence of at most 64 queries and keys: every score is computed once.
template <int kWidth>
__device__ void backward_whole(const ShortAttentionBackward& in, const Place& place,
                               BackwardShared<kWidth>& shared) {
  const ShortAttention& forward = in.forward;
  const TilePair<kWidth>& met = shared.met[0];
  const int lane = threadIdx.x % kWarp;
  const int own_row = threadIdx.x % kGroup / kWarp * 16;
  const int group = threadIdx.x / kGroup;
  const float scale = kLog2E * rsqrtf(static_cast<float>(kWidth));
  load_queries(in, place, 0, shared.met[0]);
  load_keys(forward, place, 0, shared.own);
  const auto part = QueryNumbers<kWidth>::read(forward, place, 0);
  wait_for_copies();
  __syncthreads();
  shared.numbers.set(part, met.other);
  __syncthreads();
  Sums<kWidth> keys;
  Sums<kWidth> values;
#pragma unroll
  for (int j = 0; j < kHalf / 16; ++j) {
    const int query = group * kHalf + j * 16;
    if (own_row >= place.keys || query >= place.queries) continue;
    if (forward.causal && query + 15 < own_row) continue;  // none of these sees a key
    float scores[2][4] = {};
    float products[2][4] = {};
    add_scores(shared.own.one, own_row, met.one, query, lane, scores);
    add_scores(shared.own.other, own_row, met.other, query, lane, products);
    const Piece piece = piece_of<false>(scores, products, shared.numbers, query, own_row,
                                        place.keys, forward.causal, scale, lane);
    keys.add(piece.gradient, met.one, query, lane);
    values.add(piece.weights, met.other, query, lane);
    shared.exchange.set(own_row, query, lane, piece.gradient);
  }
  if (place.queries > kHalf) {
    merge(keys, shared.sums[0]);
    merge(values, shared.sums[1]);
  }
  if (group == 0) store_key_gradients(in, place, own_row, lane, keys, values);
  __syncthreads();
  if (own_row >= place.queries) return;
  Sums<kWidth / 2> queries;  // each group has half of the columns
#pragma unroll
  for (int j = 0; j < kTile / 16; ++j) {
    if (j * 16 >= place.keys || (forward.causal && j * 16 > own_row + 15)) continue;
    queries.add(shared.exchange.left_transposed(j * 16, own_row, lane), shared.own.one, j * 16,
                lane, group * (kWidth / 2));
  }
  store_query_gradients<kWidth>(in, place, own_row, group * (kWidth / 2), lane, queries);
}

/// A tile of queries (kByQuery) or of keys of a longer sequence. What a block owns and the first
/// tiles it meets are loaded at once.
template <int kWidth, bool kByQuery>
__device__ void backward_tile(const ShortAttentionBackward& in, const Place& place, int first,
                              BackwardShared<kWidth>& shared) {
  const ShortAttention& forward = in.forward;
  const int lane = threadIdx.x % kWarp;
  const int own_row = threadIdx.x % kGroup / kWarp * 16;
  const int group = threadIdx.x / kGroup;
  const float scale = kLog2E * rsqrtf(static_cast<float>(kWidth));
  const int begin = !kByQuery && forward.causal ? first : 0;
  const int seen_keys = forward.causal ? min(place.keys, first + kTile) : place.keys;
  const int end = kByQuery ? seen_keys : place.queries;
  const int own = first + own_row;
  const bool is_used = own < (kByQuery ? place.queries : place.keys);
  typename QueryNumbers<kWidth>::Part part;
  const auto load_met = [&](int from) {
    TilePair<kWidth>& to = shared.met[from / kTile % 2];
    if (kByQuery) {
      load_keys(forward, place, from, to);
    } else {
      load_queries(in, place, from, to);
      part = QueryNumbers<kWidth>::read(forward, place, from);
    }
  };
  if (kByQuery) {
    load_queries(in, place, first, shared.own);
    part = QueryNumbers<kWidth>::read(forward, place, first);
  } else {
    load_keys(forward, place, first, shared.own);
  }
  load_met(begin);
  Sums<kWidth> sums;
  Sums<kWidth> value_sums;
  for (int from = begin; from < end; from += kTile) {
    const TilePair<kWidth>& met = shared.met[from / kTile % 2];
    wait_for_copies();
    __syncthreads();  // and the other pair of tiles has been read
    if (!kByQuery || from == begin) {
      shared.numbers.set(part, kByQuery ? shared.own.other : met.other);
      __syncthreads();
    }
    if (from + kTile < end) load_met(from + kTile);
#pragma unroll
    for (int j = 0; j < kHalf / 16; ++j) {
      const int row = group * kHalf + j * 16;
      const int other = from + row;
      if (!is_used || other >= end) continue;
      if (forward.causal && (kByQuery ? other > own + 15 : other + 15 < own)) continue;
      float scores[2][4] = {};
      float products[2][4] = {};
      add_scores(shared.own.one, own_row, met.one, row, lane, scores);
      add_scores(shared.own.other, own_row, met.other, row, lane, products);
      const Piece piece =
          piece_of<kByQuery>(scores, products, shared.numbers, kByQuery ? own : other,
                             kByQuery ? other : own, place.keys, forward.causal, scale, lane);
      sums.add(piece.gradient, met.one, row, lane);
      if (!kByQuery) value_sums.add(piece.weights, met.other, row, lane);
    }
  }
  merge(sums, shared.sums[0]);
  if (!kByQuery) merge(value_sums, shared.sums[1]);
  if (!is_used || group == 1) return;
  if (kByQuery) {
    store_query_gradients<kWidth>(in, place, own, 0, lane, sums);
  } else {
    store_key_gradients(in, place, own, lane, sums, value_sums);
  }
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads, 2)
    backward_kernel(const __grid_constant__ ShortAttentionBackward in) {
  await_previous();
  extern __shared__ char memory[];
  auto& shared = *reinterpret_cast<BackwardShared<kWidth>*>(memory);
  const AttentionTask task = task_of_block(in.forward.plan.backward_P);
  if (task.tile < 0) return;
  const Place place(task, in.forward.head_width);
  const int query_tiles = (place.queries + kTile - 1) / kTile;
  if (!place.is_long()) {
    backward_whole<kWidth>(in, place, shared);
  } else if (task.tile < query_tiles) {
    backward_tile<kWidth, true>(in, place, task.tile * kTile, shared);
  } else {
    backward_tile<kWidth, false>(in, place, (task.tile - query_tiles) * kTile, shared);
  }
}

template <typename Kernel>
void allow_shared(Kernel* kernel, std::size_t bytes) {
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                       static_cast<int>(bytes));
  cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout,
                       cudaSharedmemCarveoutMaxShared);
}

template <int kWidth>
void launch_backward(const ShortAttentionBackward& in, dim3 grid, cudaStream_t stream) {
  allow_shared(backward_kernel<kWidth>, sizeof(BackwardShared<kWidth>));
  launch_early(backward_kernel<kWidth>, {grid, kThreads, sizeof(BackwardShared<kWidth>), stream},
               in);
}

}  // namespace

void short_attention_backward(const ShortAttentionBackward& in, cudaStream_t stream) {
  const ShortAttention& forward = in.forward;
  const dim3 grid(static_cast<unsigned>(forward.heads),
                  static_cast<unsigned>(forward.plan.backward_tasks));
  if (forward.head_width == 32) {
    launch_backward<32>(in, grid, stream);
  } else {
    launch_backward<64>(in, grid, stream);
  }
}

}  // namespace linformer
