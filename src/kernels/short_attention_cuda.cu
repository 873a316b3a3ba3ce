// SPDX-License-Identifier: Apache-2.0
// Blocks of four warps; a warp owns 16 rows of a tile of 64 and multiplies them with tiles of 64
// rows in shared memory (mma.m16n8k16). In the backward pass one kind of block owns queries and
// another keys, and both recompute the scores, so that nothing is added across blocks.
#include "kernels/short_attention_cuda.h"
#include "kernels/tensor_tile.cuh"

namespace linformer {
namespace {

constexpr int kThreads = kTileThreads;
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

/// What a block works on.
struct Place {
  int query_start, queries, key_start, keys;
  std::int64_t column;  // of the head

  __device__ Place(const ShortAttention& in, int b, int head) {
    query_start = in.query_start_B1[b];
    queries = in.query_start_B1[b + 1] - query_start;
    key_start = in.key_start_B1[b];
    keys = in.key_start_B1[b + 1] - key_start;
    column = head * in.head_width;
  }
};

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(const __grid_constant__ ShortAttention in) {
  extern __shared__ char shared[];
  auto* tiles = reinterpret_cast<Tile<kWidth>*>(shared);
  Tile<kWidth>& queries = tiles[0];
  Tile<kWidth>& keys = tiles[1];
  Tile<kWidth>& values = tiles[2];
  const int lane = threadIdx.x % kWarp;
  const int own_row = threadIdx.x / kWarp * 16;
  const int head = blockIdx.y;
  const Place place(in, blockIdx.z, head);
  const int first = blockIdx.x * kTile;
  if (first >= place.queries) return;
  const float scale = kLog2E * rsqrtf(static_cast<float>(kWidth));
  const auto load_keys = [&](int from) {
    const std::int64_t offset = place.key_start * in.key_value_stride + place.column;
    keys.load(at_row(in.key_SM, offset), in.key_value_stride, from, place.keys);
    values.load(at_row(in.value_SM, offset), in.key_value_stride, from, place.keys);
  };
  queries.load(at_row(in.query_TM, place.query_start * in.query_stride + place.column),
               in.query_stride, first, place.queries);
  load_keys(0);
  Sums<kWidth> out;
  float largest[2] = {-INFINITY, -INFINITY};  // of the rows lane / 4 and 8 below
  float sum[2] = {};
  const int end = in.causal ? min(place.keys, first + kTile) : place.keys;
  const int row = first + own_row + lane / 4;
  for (int key = 0; key < end; key += kTile) {
    if (key > 0) {
      __syncthreads();
      load_keys(key);
    }
    __syncthreads();
    float scores[kTile / 8][4] = {};
    float tile_largest[2] = {-INFINITY, -INFINITY};
#pragma unroll
    for (int j = 0; j < kTile / 16; ++j) {
      add_scores(queries, own_row, keys, j * 16, lane,
                 reinterpret_cast<float(&)[2][4]>(scores[2 * j]));
    }
#pragma unroll
    for (int j = 0; j < kTile / 8; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int column = key + j * 8 + lane % 4 * 2 + i % 2;
        const bool is_seen = column < place.keys && (!in.causal || column <= row + i / 2 * 8);
        scores[j][i] = is_seen ? scores[j][i] * scale : -INFINITY;
        tile_largest[i / 2] = fmaxf(tile_largest[i / 2], scores[j][i]);
      }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float larger = fmaxf(largest[half], quad_max(tile_largest[half]));
      const float factor = exp2f(largest[half] - larger);
      largest[half] = larger;
      sum[half] *= factor;
#pragma unroll
      for (int i = 0; i < kWidth / 8; ++i) {
        out.values[i][2 * half] *= factor;
        out.values[i][2 * half + 1] *= factor;
      }
    }
#pragma unroll
    for (int j = 0; j < kTile / 8; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        scores[j][i] = exp2f(scores[j][i] - largest[i / 2]);
        sum[i / 2] += scores[j][i];
      }
    }
#pragma unroll
    for (int j = 0; j < kTile / 16; ++j) {
      out.add(as_left(scores[2 * j], scores[2 * j + 1]), values, j * 16, lane);
    }
  }
  float inverse[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    sum[half] = quad_sum(sum[half]);
    inverse[half] = sum[half] > 0 ? 1.0F / sum[half] : 0.0F;
    if (lane % 4 == 0 && row + half * 8 < place.queries) {
      in.lse_HT[head * in.rows + place.query_start + row + half * 8] =
          sum[half] > 0 ? largest[half] + log2f(sum[half]) : 0.0F;
    }
  }
  const std::int64_t width = in.heads * kWidth;
  out.store(at_row(in.out_TM, place.query_start * width + place.column), width, first + own_row,
            place.queries, lane, inverse[0], inverse[1]);
}

/// lse of 64 queries and the products of their outputs with the outputs' gradients.
struct QueryNumbers {
  float lse[kTile];
  float delta[kTile];

  template <int kWidth>
  __device__ void load(const ShortAttentionBackward& in, const Place& place, int head, int first) {
    const ShortAttention& forward = in.forward;
    const std::int64_t width = forward.heads * kWidth;
    const int row = threadIdx.x / 2;  // two threads a row
    const int query = first + row;
    float sum = 0;
    if (query < place.queries) {
      const std::int64_t element =
          (place.query_start + query) * width + place.column + threadIdx.x % 2 * (kWidth / 2);
#pragma unroll
      for (int i = 0; i < kWidth / 16; ++i) {
        float out[8];
        float gradient[8];
        widen(static_cast<const Vector8*>(
                  at_row(static_cast<const void*>(forward.out_TM), element))[i],
              out);
        widen(static_cast<const Vector8*>(at_row(in.out_gradient_TM, element))[i], gradient);
#pragma unroll
        for (int j = 0; j < 8; ++j) sum += out[j] * gradient[j];
      }
    }
    sum += __shfl_xor_sync(0xFFFFFFFFU, sum, 1);
    if (threadIdx.x % 2 == 0) {
      delta[row] = sum;
      // exp2(x - inf) = 0: no such query.
      lse[row] = query < place.queries
                     ? forward.lse_HT[head * forward.rows + place.query_start + query]
                     : INFINITY;
    }
  }
};

/// One 16 x 16 piece of P and dS, by rows of queries (kByQuery) or of keys.
struct Piece {
  Fragment weights;
  Fragment gradient;
};

template <bool kByQuery>
__device__ Piece piece_of(const float (&scores)[2][4], const float (&products)[2][4],
                          const QueryNumbers& numbers, int query, int key, bool causal, float scale,
                          int lane) {
  float weights[2][4];
  float gradient[2][4];
#pragma unroll
  for (int j = 0; j < 2; ++j) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i / 2 * 8;
      const int column = j * 8 + lane % 4 * 2 + i % 2;
      const int own_query = query + (kByQuery ? row : column);
      const int own_key = key + (kByQuery ? column : row);
      const bool is_seen = !causal || own_key <= own_query;
      weights[j][i] = is_seen ? exp2f(scores[j][i] * scale - numbers.lse[own_query % kTile]) : 0.0F;
      gradient[j][i] = weights[j][i] * (products[j][i] - numbers.delta[own_query % kTile]);
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

/// Blocks of blockIdx.x below `query_tiles` own queries, the others keys. What a block owns and the
/// first tiles it meets are loaded at once: most sequences have no more.
template <int kWidth>
__global__ void __launch_bounds__(kThreads, 4)
    backward_kernel(const __grid_constant__ ShortAttentionBackward in, int query_tiles) {
  extern __shared__ char shared[];
  TilePair<kWidth>& own = reinterpret_cast<TilePair<kWidth>*>(shared)[0];
  TilePair<kWidth>& met = reinterpret_cast<TilePair<kWidth>*>(shared)[1];
  __shared__ QueryNumbers numbers;
  const ShortAttention& forward = in.forward;
  const int lane = threadIdx.x % kWarp;
  const int own_row = threadIdx.x / kWarp * 16;
  const int head = blockIdx.y;
  const Place place(forward, blockIdx.z, head);
  const bool by_query = static_cast<int>(blockIdx.x) < query_tiles;
  const int first = (by_query ? blockIdx.x : blockIdx.x - query_tiles) * kTile;
  if (first >= (by_query ? place.queries : place.keys)) return;
  const float slope = rsqrtf(static_cast<float>(kWidth));
  const float scale = kLog2E * slope;
  const std::int64_t width = forward.heads * kWidth;
  const auto load_queries = [&](TilePair<kWidth>& to, int from) {
    to.one.load(at_row(forward.query_TM, place.query_start * forward.query_stride + place.column),
                forward.query_stride, from, place.queries);
    to.other.load(at_row(in.out_gradient_TM, place.query_start * width + place.column), width, from,
                  place.queries);
    numbers.load<kWidth>(in, place, head, from);
  };
  const auto load_keys = [&](TilePair<kWidth>& to, int from) {
    const std::int64_t offset = place.key_start * forward.key_value_stride + place.column;
    to.one.load(at_row(forward.key_SM, offset), forward.key_value_stride, from, place.keys);
    to.other.load(at_row(forward.value_SM, offset), forward.key_value_stride, from, place.keys);
  };
  const int begin = !by_query && forward.causal ? first : 0;
  const int seen_keys = forward.causal ? min(place.keys, first + kTile) : place.keys;
  const int end = by_query ? seen_keys : place.queries;
  if (by_query) {
    load_queries(own, first);
    load_keys(met, begin);
  } else {
    load_keys(own, first);
    load_queries(met, begin);
  }
  Sums<kWidth> sums;
  Sums<kWidth> value_sums;
  for (int from = begin; from < end; from += kTile) {
    if (from != begin) {
      __syncthreads();
      by_query ? load_keys(met, from) : load_queries(met, from);
    }
    __syncthreads();
#pragma unroll
    for (int j = 0; j < kTile / 16; ++j) {
      float scores[2][4] = {};
      float products[2][4] = {};
      add_scores(own.one, own_row, met.one, j * 16, lane, scores);
      add_scores(own.other, own_row, met.other, j * 16, lane, products);
      if (by_query) {
        const Piece piece = piece_of<true>(scores, products, numbers, first + own_row,
                                           from + j * 16, forward.causal, scale, lane);
        sums.add(piece.gradient, met.one, j * 16, lane);
      } else {
        const Piece piece = piece_of<false>(scores, products, numbers, from + j * 16,
                                            first + own_row, forward.causal, scale, lane);
        sums.add(piece.gradient, met.one, j * 16, lane);
        value_sums.add(piece.weights, met.other, j * 16, lane);
      }
    }
  }
  if (by_query) {
    sums.store(
        at_row(in.query_gradient_TM, place.query_start * in.query_gradient_stride + place.column),
        in.query_gradient_stride, first + own_row, place.queries, lane, slope, slope);
    return;
  }
  const std::int64_t offset = place.key_start * in.key_value_gradient_stride + place.column;
  sums.store(at_row(in.key_gradient_SM, offset), in.key_value_gradient_stride, first + own_row,
             place.keys, lane, slope, slope);
  value_sums.store(at_row(in.value_gradient_SM, offset), in.key_value_gradient_stride,
                   first + own_row, place.keys, lane, 1.0F, 1.0F);
}

template <int kWidth>
void launch_forward(const ShortAttention& in, dim3 grid, cudaStream_t stream) {
  forward_kernel<kWidth><<<grid, kThreads, 3 * sizeof(Tile<kWidth>), stream>>>(in);
}

template <int kWidth>
void launch_backward(const ShortAttentionBackward& in, dim3 grid, unsigned query_tiles,
                     cudaStream_t stream) {
  backward_kernel<kWidth>
      <<<grid, kThreads, 2 * sizeof(TilePair<kWidth>), stream>>>(in, static_cast<int>(query_tiles));
}

}  // namespace

void short_attention_forward(const ShortAttention& in, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(divide_up(in.max_queries, kTile)),
                  static_cast<unsigned>(in.heads), static_cast<unsigned>(in.batch));
  if (in.head_width == 32) {
    launch_forward<32>(in, grid, stream);
  } else {
    launch_forward<64>(in, grid, stream);
  }
}

void short_attention_backward(const ShortAttentionBackward& in, cudaStream_t stream) {
  const auto query_tiles = static_cast<unsigned>(divide_up(in.forward.max_queries, kTile));
  const auto key_tiles = static_cast<unsigned>(divide_up(in.forward.max_keys, kTile));
  const dim3 grid(query_tiles + key_tiles, static_cast<unsigned>(in.forward.heads),
                  static_cast<unsigned>(in.forward.batch));
  if (in.forward.head_width == 32) {
    launch_backward<32>(in, grid, query_tiles, stream);
  } else {
    launch_backward<64>(in, grid, query_tiles, stream);
  }
}

}  // namespace linformer
