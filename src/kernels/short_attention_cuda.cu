// SPDX-License-Identifier: Apache-2.0
// Blocks of four warps; a warp owns 16 rows of a tile of 64 and multiplies them with tiles of 64
// rows in shared memory (mma.m16n8k16). In the backward pass one kind of block owns queries and
// another keys, and both recompute the scores, so that nothing is added across blocks.
#include "kernels/cuda_support.cuh"
#include "kernels/short_attention_cuda.h"

namespace linformer {
namespace {

constexpr int kThreads = 128;
constexpr int kTile = 64;
constexpr float kLog2E = 1.4426950408889634F;

__device__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

struct Fragment {
  unsigned r[4];
};

__device__ Fragment load_matrix(const __nv_bfloat16* row) {
  Fragment out;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out.r[0]), "=r"(out.r[1]), "=r"(out.r[2]), "=r"(out.r[3])
               : "r"(shared_address(row)));
  return out;
}

__device__ Fragment load_transposed(const __nv_bfloat16* row) {
  Fragment out;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out.r[0]), "=r"(out.r[1]), "=r"(out.r[2]), "=r"(out.r[3])
               : "r"(shared_address(row)));
  return out;
}

__device__ void multiply(float (&c)[4], const Fragment& a, unsigned b0, unsigned b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b0), "r"(b1));
}

__device__ unsigned packed(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const unsigned*>(&pair);
}

/// Two neighbouring 16 x 8 results as the left operand of a product over their 16 columns.
__device__ Fragment as_left(const float (&first)[4], const float (&second)[4]) {
  return {{packed(first[0], first[1]), packed(first[2], first[3]), packed(second[0], second[1]),
           packed(second[2], second[3])}};
}

/// A tile in shared memory; rows are padded so that ldmatrix meets no bank twice.
template <int kWidth>
struct Tile {
  static constexpr int kStride = kWidth + 8;
  __nv_bfloat16 data[kTile * kStride];

  /// Rows first .. first + 63 of `base`, those from `count` on as zeros.
  __device__ void load(const void* base, std::int64_t stride, int first, int count) {
    constexpr int kVectors = kWidth / 8;
    for (int i = threadIdx.x; i < kTile * kVectors; i += kThreads) {
      const int row = i / kVectors;
      const int vector = i % kVectors;
      uint4 value = {0, 0, 0, 0};
      if (first + row < count) {
        value = *reinterpret_cast<const uint4*>(static_cast<const __nv_bfloat16*>(base) +
                                                (first + row) * stride + vector * 8);
      }
      *reinterpret_cast<uint4*>(data + row * kStride + vector * 8) = value;
    }
  }

  /// 16 x 16 at (row, column) as a left operand.
  __device__ Fragment left(int row, int column, int lane) const {
    return load_matrix(data + (row + lane % 16) * kStride + column + lane / 16 * 8);
  }
  /// The right operand of a product with the transposed tile: columns are the tile's rows row ..
  /// row + 15, summed over its columns column .. column + 15.
  __device__ Fragment right_transposed(int row, int column, int lane) const {
    return load_matrix(data + (row + lane % 8 + lane / 16 * 8) * kStride + column +
                       lane / 8 % 2 * 8);
  }
  /// The right operand of a product with the tile: summed over its rows row .. row + 15.
  __device__ Fragment right(int row, int column, int lane) const {
    return load_transposed(data + (row + lane % 16) * kStride + column + lane / 16 * 8);
  }
};

template <int kWidth>
struct Rows {
  Fragment parts[kWidth / 16];

  __device__ void load(const Tile<kWidth>& tile, int row, int lane) {
#pragma unroll
    for (int i = 0; i < kWidth / 16; ++i) parts[i] = tile.left(row, i * 16, lane);
  }
  /// Products with 16 rows of a tile, from `row`: two 16 x 8 results.
  __device__ void scores(const Tile<kWidth>& tile, int row, int lane, float (&out)[2][4]) const {
#pragma unroll
    for (int i = 0; i < kWidth / 16; ++i) {
      const Fragment b = tile.right_transposed(row, i * 16, lane);
      multiply(out[0], parts[i], b.r[0], b.r[1]);
      multiply(out[1], parts[i], b.r[2], b.r[3]);
    }
  }
};

template <int kWidth>
struct Sums {
  float values[kWidth / 8][4] = {};

  /// Adds left times 16 rows of a tile, from `row`.
  __device__ void add(const Fragment& left, const Tile<kWidth>& tile, int row, int lane) {
#pragma unroll
    for (int i = 0; i < kWidth / 16; ++i) {
      const Fragment b = tile.right(row, i * 16, lane);
      multiply(values[2 * i], left, b.r[0], b.r[1]);
      multiply(values[2 * i + 1], left, b.r[2], b.r[3]);
    }
  }
  /// Writes rows first + lane / 4 and 8 below times their factors, below `count`.
  __device__ void store(void* base, std::int64_t stride, int first, int count, int lane,
                        float upper, float lower) const {
    const int row = first + lane / 4;
    auto* out = static_cast<__nv_bfloat16*>(base) + row * stride + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < kWidth / 8; ++i) {
      if (row < count) {
        *reinterpret_cast<unsigned*>(out + i * 8) =
            packed(values[i][0] * upper, values[i][1] * upper);
      }
      if (row + 8 < count) {
        *reinterpret_cast<unsigned*>(out + 8 * stride + i * 8) =
            packed(values[i][2] * lower, values[i][3] * lower);
      }
    }
  }
};

__device__ const void* at_row(const void* base, std::int64_t element) {
  return static_cast<const __nv_bfloat16*>(base) + element;
}
__device__ void* at_row(void* base, std::int64_t element) {
  return static_cast<__nv_bfloat16*>(base) + element;
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

__device__ float quad_max(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, 2));
}
__device__ float quad_sum(float value) {
  value += __shfl_xor_sync(0xFFFFFFFFU, value, 1);
  return value + __shfl_xor_sync(0xFFFFFFFFU, value, 2);
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(const __grid_constant__ ShortAttention in) {
  __shared__ Tile<kWidth> keys;
  __shared__ Tile<kWidth> values;
  const int lane = threadIdx.x % kWarp;
  const int own_row = threadIdx.x / kWarp * 16;
  const int head = blockIdx.y;
  const Place place(in, blockIdx.z, head);
  const int first = blockIdx.x * kTile;
  if (first >= place.queries) return;
  const float scale = kLog2E * rsqrtf(static_cast<float>(kWidth));
  keys.load(at_row(in.query_TM, place.query_start * in.query_stride + place.column),
            in.query_stride, first, place.queries);
  __syncthreads();
  Rows<kWidth> queries;
  queries.load(keys, own_row, lane);
  Sums<kWidth> out;
  float largest[2] = {-INFINITY, -INFINITY};  // of the rows lane / 4 and 8 below
  float sum[2] = {};
  const int end = in.causal ? min(place.keys, first + kTile) : place.keys;
  const int row = first + own_row + lane / 4;
  for (int key = 0; key < end; key += kTile) {
    __syncthreads();
    const std::int64_t offset = place.key_start * in.key_value_stride + place.column;
    keys.load(at_row(in.key_SM, offset), in.key_value_stride, key, place.keys);
    values.load(at_row(in.value_SM, offset), in.key_value_stride, key, place.keys);
    __syncthreads();
    float scores[kTile / 8][4] = {};
    float tile_largest[2] = {-INFINITY, -INFINITY};
#pragma unroll
    for (int j = 0; j < kTile / 16; ++j) {
      queries.scores(keys, j * 16, lane, reinterpret_cast<float(&)[2][4]>(scores[2 * j]));
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

/// Blocks of blockIdx.x below `query_tiles` own queries, the others keys.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    backward_kernel(const __grid_constant__ ShortAttentionBackward in, int query_tiles) {
  __shared__ Tile<kWidth> one;    // queries, or keys
  __shared__ Tile<kWidth> other;  // gradients of outputs, or values
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
  const auto load_queries = [&](int from) {
    one.load(at_row(forward.query_TM, place.query_start * forward.query_stride + place.column),
             forward.query_stride, from, place.queries);
    other.load(at_row(in.out_gradient_TM, place.query_start * width + place.column), width, from,
               place.queries);
    numbers.load<kWidth>(in, place, head, from);
  };
  const auto load_keys = [&](int from) {
    const std::int64_t offset = place.key_start * forward.key_value_stride + place.column;
    one.load(at_row(forward.key_SM, offset), forward.key_value_stride, from, place.keys);
    other.load(at_row(forward.value_SM, offset), forward.key_value_stride, from, place.keys);
  };
  by_query ? load_queries(first) : load_keys(first);
  __syncthreads();
  Rows<kWidth> own_one;
  Rows<kWidth> own_other;
  own_one.load(one, own_row, lane);
  own_other.load(other, own_row, lane);
  Sums<kWidth> sums;
  if (by_query) {
    const int end = forward.causal ? min(place.keys, first + kTile) : place.keys;
    for (int key = 0; key < end; key += kTile) {
      __syncthreads();
      load_keys(key);
      __syncthreads();
#pragma unroll
      for (int j = 0; j < kTile / 16; ++j) {
        float scores[2][4] = {};
        float products[2][4] = {};
        own_one.scores(one, j * 16, lane, scores);
        own_other.scores(other, j * 16, lane, products);
        const Piece piece = piece_of<true>(scores, products, numbers, first + own_row, key + j * 16,
                                           forward.causal, scale, lane);
        sums.add(piece.gradient, one, j * 16, lane);
      }
    }
    sums.store(
        at_row(in.query_gradient_TM, place.query_start * in.query_gradient_stride + place.column),
        in.query_gradient_stride, first + own_row, place.queries, lane, slope, slope);
    return;
  }
  Sums<kWidth> value_sums;
  for (int query = forward.causal ? first : 0; query < place.queries; query += kTile) {
    __syncthreads();
    load_queries(query);
    __syncthreads();
#pragma unroll
    for (int j = 0; j < kTile / 16; ++j) {
      float scores[2][4] = {};
      float products[2][4] = {};
      own_one.scores(one, j * 16, lane, scores);
      own_other.scores(other, j * 16, lane, products);
      const Piece piece = piece_of<false>(scores, products, numbers, query + j * 16,
                                          first + own_row, forward.causal, scale, lane);
      sums.add(piece.gradient, one, j * 16, lane);
      value_sums.add(piece.weights, other, j * 16, lane);
    }
  }
  const std::int64_t offset = place.key_start * in.key_value_gradient_stride + place.column;
  sums.store(at_row(in.key_gradient_SM, offset), in.key_value_gradient_stride, first + own_row,
             place.keys, lane, slope, slope);
  value_sums.store(at_row(in.value_gradient_SM, offset), in.key_value_gradient_stride,
                   first + own_row, place.keys, lane, 1.0F, 1.0F);
}

}  // namespace

void short_attention_forward(const ShortAttention& in, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(divide_up(in.max_queries, kTile)),
                  static_cast<unsigned>(in.heads), static_cast<unsigned>(in.batch));
  if (in.head_width == 32) {
    forward_kernel<32><<<grid, kThreads, 0, stream>>>(in);
  } else {
    forward_kernel<64><<<grid, kThreads, 0, stream>>>(in);
  }
}

void short_attention_backward(const ShortAttentionBackward& in, cudaStream_t stream) {
  const auto query_tiles = static_cast<unsigned>(divide_up(in.forward.max_queries, kTile));
  const auto key_tiles = static_cast<unsigned>(divide_up(in.forward.max_keys, kTile));
  const dim3 grid(query_tiles + key_tiles, static_cast<unsigned>(in.forward.heads),
                  static_cast<unsigned>(in.forward.batch));
  if (in.forward.head_width == 32) {
    backward_kernel<32><<<grid, kThreads, 0, stream>>>(in, static_cast<int>(query_tiles));
  } else {
    backward_kernel<64><<<grid, kThreads, 0, stream>>>(in, static_cast<int>(query_tiles));
  }
}

}  // namespace linformer
