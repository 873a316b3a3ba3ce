// SPDX-License-Identifier: Apache-2.0
// A block for each slot, a warp for each head; a lane holds kValues of the head's keys and values.
#include "kernels/cuda_support.cuh"
#include "kernels/segment_pooling_cuda.h"

namespace linformer {
namespace {

struct Segment {
  int first;  // rows of its tokens
  int last;   // one behind
  int row;    // of the slot
};

/// The segment of a block; empty where its sequence has no such slot.
__device__ Segment segment_of(const SegmentPooling& in, int b, int slot) {
  const int start = in.start_B1[b];
  const std::int64_t length = in.start_B1[b + 1] - start;
  const std::int64_t slots = in.slots < length ? in.slots : length;
  if (slot >= slots) return {0, 0, 0};
  const auto edge = [&](std::int64_t i) {
    return start + static_cast<int>((i * length + slots - 1) / slots);
  };
  return {edge(slot), edge(slot + 1), in.slot_start_B1[b] + slot};
}

struct Softmax {
  float max;
  float inverse_sum;
};

__device__ float score(const SegmentPooling& in, int token, int head) {
  return __bfloat162float(static_cast<const __nv_bfloat16*>(in.scores_TH)[token * in.heads + head]);
}

__device__ Softmax softmax_of(const SegmentPooling& in, const Segment& segment, int head,
                              int lane) {
  float largest = -INFINITY;
  for (int t = segment.first + lane; t < segment.last; t += kWarp) {
    largest = fmaxf(largest, score(in, t, head));
  }
  largest = warp_max(largest);
  float sum = 0;
  for (int t = segment.first + lane; t < segment.last; t += kWarp) {
    sum += __expf(score(in, t, head) - largest);
  }
  return {largest, 1.0F / warp_sum(sum)};
}

/// Column of kv of value i of a lane: keys first, then values.
__device__ std::int64_t column(const SegmentPooling& in, int head, int index) {
  const int width = static_cast<int>(in.head_width);
  const int side = index / width;
  return side * in.heads * width + head * width + index % width;
}

template <int kValues>
__device__ void load(const SegmentPooling& in, const void* base, std::int64_t row_start, int head,
                     int lane, float (&out)[kValues]) {
#pragma unroll
  for (int i = 0; i < kValues; ++i) {
    const int index = lane + i * kWarp;
    out[i] = index < 2 * in.head_width ? __bfloat162float(static_cast<const __nv_bfloat16*>(
                                             base)[row_start + column(in, head, index)])
                                       : 0.0F;
  }
}

template <int kValues>
__device__ void store(const SegmentPooling& in, void* base, std::int64_t row_start, int head,
                      int lane, float factor, const float (&values)[kValues]) {
#pragma unroll
  for (int i = 0; i < kValues; ++i) {
    const int index = lane + i * kWarp;
    if (index < 2 * in.head_width) {
      static_cast<__nv_bfloat16*>(base)[row_start + column(in, head, index)] =
          __float2bfloat16(factor * values[i]);
    }
  }
}

template <int kValues>
__global__ void forward_kernel(SegmentPooling in) {
  await_previous();
  const Segment segment = segment_of(in, blockIdx.x, blockIdx.y);
  if (segment.first == segment.last) return;
  const int lane = threadIdx.x % kWarp;
  const int head = threadIdx.x / kWarp;
  const Softmax softmax = softmax_of(in, segment, head, lane);
  float sums[kValues] = {};
  for (int t = segment.first; t < segment.last; ++t) {
    const float weight = __expf(score(in, t, head) - softmax.max) * softmax.inverse_sum;
    float x[kValues];
    load(in, in.kv_T2M, t * in.kv_stride, head, lane, x);
#pragma unroll
    for (int i = 0; i < kValues; ++i) sums[i] += weight * x[i];
  }
  store(in, in.pooled_S2M, segment.row * 2 * in.heads * in.head_width, head, lane, 1.0F, sums);
}

template <int kValues>
__global__ void backward_kernel(SegmentPoolingBackward in) {
  await_previous();
  const SegmentPooling& forward = in.forward;
  const Segment segment = segment_of(forward, blockIdx.x, blockIdx.y);
  if (segment.first == segment.last) return;
  const int lane = threadIdx.x % kWarp;
  const int head = threadIdx.x / kWarp;
  const Softmax softmax = softmax_of(forward, segment, head, lane);
  const std::int64_t row_width = 2 * forward.heads * forward.head_width;
  float gradient[kValues];
  float pooled[kValues];
  load(forward, in.pooled_gradient_S2M, segment.row * row_width, head, lane, gradient);
  load(forward, forward.pooled_S2M, segment.row * row_width, head, lane, pooled);
  const auto product = [&](const float(&x)[kValues]) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kValues; ++i) sum += gradient[i] * x[i];
    return warp_sum(sum);
  };
  const float mean = product(pooled);
  for (int t = segment.first; t < segment.last; ++t) {
    const float weight = __expf(score(forward, t, head) - softmax.max) * softmax.inverse_sum;
    float x[kValues];
    load(forward, forward.kv_T2M, t * forward.kv_stride, head, lane, x);
    const float own = product(x);
    store(forward, in.kv_gradient_T2M, t * row_width, head, lane, weight, gradient);
    if (lane == 0) {
      static_cast<__nv_bfloat16*>(in.scores_gradient_TH)[t * forward.heads + head] =
          __float2bfloat16(weight * (own - mean));
    }
  }
}

template <typename Launch>
void by_width(const SegmentPooling& in, Launch&& launch) {
  const dim3 grid(static_cast<unsigned>(in.batch), static_cast<unsigned>(in.slots));
  const auto threads = static_cast<unsigned>(in.heads * kWarp);
  if (in.head_width <= 32) {
    launch.template operator()<2>(grid, threads);
  } else if (in.head_width <= 64) {
    launch.template operator()<4>(grid, threads);
  } else {
    launch.template operator()<16>(grid, threads);
  }
}

}  // namespace

void pool_segments(const SegmentPooling& in, cudaStream_t stream) {
  by_width(in, [&]<int kValues>(dim3 grid, unsigned threads) {
    launch_early(forward_kernel<kValues>, {grid, threads, 0, stream}, in);
  });
}

void pool_segments_backward(const SegmentPoolingBackward& in, cudaStream_t stream) {
  by_width(in.forward, [&]<int kValues>(dim3 grid, unsigned threads) {
    launch_early(backward_kernel<kValues>, {grid, threads, 0, stream}, in);
  });
}

}  // namespace linformer
