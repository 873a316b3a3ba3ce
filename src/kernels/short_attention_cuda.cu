// SPDX-License-Identifier: Apache-2.0
// Blocks of two groups of four warps. A warp owns 16 rows of a tile of 64 and multiplies them with
// half of the rows of other tiles in shared memory (mma.m16n8k16); the groups' halves are added up
// at the end, which halves the chain of a long sequence's tiles, and with it the kernel's time.
// In the backward pass a sequence of one tile of
// queries and one of keys, as most are, is one block's for each head; of longer ones a block owns
// queries or keys and recomputes the scores, so that nothing is added across blocks.
#include "kernels/short_attention_cuda.h"
#include "kernels/tensor_tile.cuh"

namespace linformer {
namespace {

constexpr int kGroup = kTileThreads;  // threads
constexpr int kThreads = 2 * kGroup;
constexpr int kPlanThreads = 256;
constexpr int kHalf = kTile / 2;  // rows of a met tile for each group
constexpr float kLog2E = 1.4426950408889634F;

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

__device__ int tiles_of(int rows) { return (rows + kTile - 1) / kTile; }

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

__device__ AttentionTask task_of_block(const AttentionTask* task_P) {
  AttentionTask task;
  const auto* from = reinterpret_cast<const int4*>(task_P + blockIdx.y);
  auto* to = reinterpret_cast<int4*>(&task);
  to[0] = from[0];
  to[1] = from[1];
  return task;
}

/// The tasks of a sequence, in one direction.
struct Tasks {
  AttentionTask task;
  int count;
  bool is_long;

  __device__ Tasks(const AttentionPlan& plan, int b, bool backward) {
    task = {};
    task.query_start = plan.query_start_B1[b];
    task.queries = plan.query_start_B1[b + 1] - task.query_start;
    task.key_start = plan.key_start_B1[b];
    task.keys = plan.key_start_B1[b + 1] - task.key_start;
    const int queries = tiles_of(task.queries);
    const int keys = tiles_of(task.keys);
    is_long = queries > 1 || keys > 1;
    count = !backward ? queries : is_long ? queries + keys : max(queries, keys);
  }
};

/// Block 0 makes the tasks of the forward pass, block 1 those of the backward pass.
__global__ void __launch_bounds__(kPlanThreads) plan_kernel(AttentionPlan plan) {
  __shared__ int warp_sums[2][kPlanThreads / kWarp];
  const bool backward = blockIdx.x == 1;
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  const int batch = static_cast<int>(plan.batch);
  const int each = (batch + kPlanThreads - 1) / kPlanThreads;
  const int begin = min(batch, static_cast<int>(threadIdx.x) * each);
  const int end = min(batch, begin + each);
  int own[2] = {};  // tasks of short sequences, and of long ones
  for (int b = begin; b < end; ++b) {
    const Tasks tasks(plan, b, backward);
    own[0] += tasks.is_long ? 0 : tasks.count;
    own[1] += tasks.is_long ? tasks.count : 0;
  }
  int sums[2] = {own[0], own[1]};  // of the lanes up to this one
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    for (int offset = 1; offset < kWarp; offset *= 2) {
      const int other = __shfl_up_sync(0xFFFFFFFFU, sums[i], offset);
      if (lane >= offset) sums[i] += other;
    }
    if (lane == kWarp - 1) warp_sums[i][warp] = sums[i];
  }
  __syncthreads();
  int all[2] = {};
  int at[2] = {sums[0] - own[0], sums[1] - own[1]};
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    for (int w = 0; w < kPlanThreads / kWarp; ++w) {
      all[i] += warp_sums[i][w];
      if (w < warp) at[i] += warp_sums[i][w];
    }
  }
  at[0] += all[1];
  AttentionTask* out = backward ? plan.backward_P : plan.forward_P;
  for (int b = begin; b < end; ++b) {
    Tasks tasks(plan, b, backward);
    for (int tile = 0; tile < tasks.count; ++tile) {
      tasks.task.tile = tile;
      out[tasks.is_long ? at[1]++ : at[0]++] = tasks.task;
    }
  }
  AttentionTask none = {};
  none.tile = -1;
  const auto capacity = static_cast<int>(backward ? plan.backward_tasks : plan.forward_tasks);
  for (int i = all[0] + all[1] + threadIdx.x; i < capacity; i += kPlanThreads) out[i] = none;
}

__device__ float exp2_fast(float x) {
  float out;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
  return out;
}

/// What the second group hands to the first: numbers of a thread, side by side for its lanes.
template <int kCount>
struct Handover {
  float values[kGroup / kWarp][kCount][kWarp];

  __device__ float& at(int i) {
    return values[threadIdx.x / kWarp % (kGroup / kWarp)][i][threadIdx.x % kWarp];
  }
};

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
  extern __shared__ char memory[];
  auto& shared = *reinterpret_cast<BackwardShared<kWidth>*>(memory);
  const AttentionTask task = task_of_block(in.forward.plan.backward_P);
  if (task.tile < 0) return;
  const Place place(task, in.forward.head_width);
  const int query_tiles = tiles_of(place.queries);
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
void launch_forward(const ShortAttention& in, dim3 grid, cudaStream_t stream) {
  forward_kernel<kWidth><<<grid, kThreads, sizeof(ForwardShared<kWidth>), stream>>>(in);
}

template <int kWidth>
void launch_backward(const ShortAttentionBackward& in, dim3 grid, cudaStream_t stream) {
  allow_shared(backward_kernel<kWidth>, sizeof(BackwardShared<kWidth>));
  backward_kernel<kWidth><<<grid, kThreads, sizeof(BackwardShared<kWidth>), stream>>>(in);
}

}  // namespace

std::int64_t attention_tasks(std::int64_t rows, std::int64_t key_rows, std::int64_t batch) {
  return rows / kTile + batch + (key_rows > 0 ? key_rows / kTile + batch : 0);
}

void plan_attention(const AttentionPlan& plan, cudaStream_t stream) {
  plan_kernel<<<2, kPlanThreads, 0, stream>>>(plan);
}

void short_attention_forward(const ShortAttention& in, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(in.heads), static_cast<unsigned>(in.plan.forward_tasks));
  if (in.head_width == 32) {
    launch_forward<32>(in, grid, stream);
  } else {
    launch_forward<64>(in, grid, stream);
  }
}

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
