// SPDX-License-Identifier: Apache-2.0
// A warp for each slot and group of heads, whose keys and values are at most 512 columns each. A
// lane has vectors of 8 columns, at the same places of keys and values: one or two of each.
#include <algorithm>

#include "kernels/cuda_support.cuh"
#include "kernels/segment_pooling_cuda.h"

namespace linformer {
namespace {

constexpr int kWarps = 4;  // slots of a block
constexpr int kVector = 8;
constexpr int kMaxColumns = 512;  // of a group's keys
constexpr int kMaxVectors = kMaxColumns / kVector;

struct Segment {
  int first;  // rows of its tokens
  int last;   // one behind
  int row;    // of the slot
};

/// The segment of a warp; empty where its sequence has no such slot.
__device__ Segment segment_of(const SegmentPooling& in) {
  const int b = blockIdx.x;
  const int slot = blockIdx.y * kWarps + threadIdx.x / kWarp;
  const int start = in.start_B1[b];
  const std::int64_t length = in.start_B1[b + 1] - start;
  const std::int64_t slots = in.slots < length ? in.slots : length;
  if (slot >= slots) return {0, 0, 0};
  const auto edge = [&](std::int64_t i) {
    return start + static_cast<int>((i * length + slots - 1) / slots);
  };
  return {edge(slot), edge(slot + 1), in.slot_start_B1[b] + slot};
}

int heads_of_group(const SegmentPooling& in) {
  return static_cast<int>(std::min(in.heads, kMaxColumns / in.head_width));
}

struct Softmax {
  float max;
  float inverse_sum;
};

/// What a lane has of its warp's share.
template <int kPairs>
class Lane {
 public:
  __device__ Lane(const SegmentPooling& in, const Segment& segment, int heads)
      : in_(in),
        segment_(segment),
        first_head_(static_cast<int>(blockIdx.z) * heads),
        heads_(min(heads, static_cast<int>(in.heads) - first_head_)),
        width_(static_cast<int>(in.head_width)) {}

  __device__ static int index() { return threadIdx.x % kWarp; }

  /// Whether there is a pair i of vectors.
  __device__ bool has(int i) const { return place(i) < heads_ * width_; }
  __device__ int head(int i) const { return first_head_ + place(i) / width_; }
  /// Among the group's vectors.
  __device__ static int vector(int i) { return index() + i * kWarp; }
  /// Of pair i, of keys (side 0) or values, in a row of both.
  __device__ std::int64_t column(int i, int side) const {
    return side * in_.heads * width_ + first_head_ * width_ + place(i);
  }

  /// Heads that this lane has the scores' gradient of: at most one.
  __device__ bool has_head() const { return index() < heads_; }
  __device__ int own_head() const { return first_head_ + index(); }

  __device__ Softmax softmax_of(int head) const {
    float largest = -INFINITY;
    for (int t = segment_.first; t < segment_.last; ++t) largest = fmaxf(largest, score(t, head));
    float sum = 0;
    for (int t = segment_.first; t < segment_.last; ++t) sum += __expf(score(t, head) - largest);
    return {largest, 1.0F / sum};
  }
  __device__ float weight(int token, int head, const Softmax& softmax) const {
    return __expf(score(token, head) - softmax.max) * softmax.inverse_sum;
  }

 private:
  __device__ static int place(int i) { return vector(i) * kVector; }
  __device__ float score(int token, int head) const {
    return __bfloat162float(
        static_cast<const __nv_bfloat16*>(in_.scores_TH)[token * in_.heads + head]);
  }

  const SegmentPooling& in_;
  const Segment& segment_;
  const int first_head_;
  const int heads_;
  const int width_;
};

__device__ Vector8 load(const void* base, std::int64_t place) {
  return {__ldg(reinterpret_cast<const uint4*>(static_cast<const __nv_bfloat16*>(base) + place))};
}
__device__ void store(void* base, std::int64_t place, const Vector8& value) {
  *reinterpret_cast<uint4*>(static_cast<__nv_bfloat16*>(base) + place) = value.bits;
}

template <int kPairs>
__global__ void __launch_bounds__(kWarps* kWarp)
    forward_kernel(const __grid_constant__ SegmentPooling in, int group_heads) {
  await_previous();
  const Segment segment = segment_of(in);
  if (segment.first == segment.last) return;
  const Lane<kPairs> lane(in, segment, group_heads);
  const std::int64_t out = std::int64_t{segment.row} * 2 * in.heads * in.head_width;
  const bool is_single = segment.last - segment.first == 1;
#pragma unroll
  for (int i = 0; i < kPairs; ++i) {
    if (!lane.has(i)) continue;
    if (is_single) {
      for (int side = 0; side < 2; ++side) {
        const std::int64_t column = lane.column(i, side);
        store(in.pooled_S2M, out + column, load(in.kv_T2M, segment.first * in.kv_stride + column));
      }
      continue;
    }
    const int head = lane.head(i);
    const Softmax softmax = lane.softmax_of(head);
    float sums[2][kVector] = {};
#pragma unroll 4
    for (int t = segment.first; t < segment.last; ++t) {
      const float weight = lane.weight(t, head, softmax);
#pragma unroll
      for (int side = 0; side < 2; ++side) {
        float x[kVector];
        widen(load(in.kv_T2M, t * in.kv_stride + lane.column(i, side)), x);
#pragma unroll
        for (int j = 0; j < kVector; ++j) sums[side][j] += weight * x[j];
      }
    }
    for (int side = 0; side < 2; ++side) {
      store(in.pooled_S2M, out + lane.column(i, side), narrow(sums[side]));
    }
  }
}

/// The gradient of a score is its weight times that of the slot times what the token differs from
/// the slot: nothing where it is the only one.
template <int kPairs>
__global__ void __launch_bounds__(kWarps* kWarp)
    backward_kernel(const __grid_constant__ SegmentPoolingBackward in, int group_heads) {
  await_previous();
  __shared__ float shared[kWarps][kMaxVectors];
  const SegmentPooling& forward = in.forward;
  const Segment segment = segment_of(forward);
  if (segment.first == segment.last) return;
  const Lane<kPairs> lane(forward, segment, group_heads);
  const std::int64_t slot = std::int64_t{segment.row} * 2 * forward.heads * forward.head_width;
  const auto put_score = [&](int token, float gradient) {
    static_cast<__nv_bfloat16*>(in.scores_gradient_TH)[token * forward.heads + lane.own_head()] =
        __float2bfloat16(gradient);
  };
  if (segment.last - segment.first == 1) {
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
      for (int side = 0; side < 2 && lane.has(i); ++side) {
        const std::int64_t column = lane.column(i, side);
        store(in.kv_gradient_T2M, segment.first * in.kv_gradient_stride + column,
              load(in.pooled_gradient_S2M, slot + column));
      }
    }
    if (lane.has_head()) put_score(segment.first, 0.0F);
    return;
  }
  Softmax softmax[kPairs];
  float gradient[kPairs][2][kVector];
  float pooled[kPairs][2][kVector];
#pragma unroll
  for (int i = 0; i < kPairs; ++i) {
    if (!lane.has(i)) continue;
    softmax[i] = lane.softmax_of(lane.head(i));
    for (int side = 0; side < 2; ++side) {
      const std::int64_t at = slot + lane.column(i, side);
      widen(load(in.pooled_gradient_S2M, at), gradient[i][side]);
      widen(load(forward.pooled_S2M, at), pooled[i][side]);
    }
  }
  const Softmax own = lane.has_head() ? lane.softmax_of(lane.own_head()) : Softmax{};
  float* products = shared[threadIdx.x / kWarp];
  const int vectors = static_cast<int>(forward.head_width) / kVector;
  for (int t = segment.first; t < segment.last; ++t) {
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
      if (!lane.has(i)) continue;
      const float weight = lane.weight(t, lane.head(i), softmax[i]);
      float product = 0;
#pragma unroll
      for (int side = 0; side < 2; ++side) {
        const std::int64_t column = lane.column(i, side);
        float x[kVector];
        widen(load(forward.kv_T2M, t * forward.kv_stride + column), x);
        float token_gradient[kVector];
#pragma unroll
        for (int j = 0; j < kVector; ++j) {
          product += gradient[i][side][j] * (x[j] - pooled[i][side][j]);
          token_gradient[j] = weight * gradient[i][side][j];
        }
        store(in.kv_gradient_T2M, t * in.kv_gradient_stride + column, narrow(token_gradient));
      }
      products[lane.vector(i)] = product;
    }
    __syncwarp();
    if (lane.has_head()) {
      float sum = 0;
      for (int j = 0; j < vectors; ++j) sum += products[lane.index() * vectors + j];
      put_score(t, sum * lane.weight(t, lane.own_head(), own));
    }
    __syncwarp();
  }
}

/// Calls start with the number of a lane's pairs, the grid and the heads of a group.
template <typename Start>
void start_groups(const SegmentPooling& in, const Start& start) {
  const int heads = heads_of_group(in);
  const dim3 grid(static_cast<unsigned>(in.batch),
                  static_cast<unsigned>(divide_up(in.slots, kWarps)),
                  static_cast<unsigned>(divide_up(in.heads, heads)));
  if (heads * in.head_width <= kWarp * kVector) {
    start.template operator()<1>(grid, heads);
  } else {
    start.template operator()<2>(grid, heads);
  }
}

}  // namespace

void pool_segments(const SegmentPooling& in, cudaStream_t stream) {
  start_groups(in, [&]<int kPairs>(dim3 grid, int heads) {
    launch_early(forward_kernel<kPairs>, {grid, kWarps * kWarp, 0, stream}, in, heads);
  });
}

void pool_segments_backward(const SegmentPoolingBackward& in, cudaStream_t stream) {
  start_groups(in.forward, [&]<int kPairs>(dim3 grid, int heads) {
    launch_early(backward_kernel<kPairs>, {grid, kWarps * kWarp, 0, stream}, in, heads);
  });
}

}  // namespace linformer
