// SPDX-License-Identifier: Apache-2.0
#include "kernels/attention_plan_cuda.h"
#include "kernels/cuda_support.cuh"

namespace linformer {
namespace {

constexpr int kPlanThreads = 256;

__device__ int tiles_of(int rows) { return (rows + kAttentionTile - 1) / kAttentionTile; }

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

}  // namespace

std::int64_t attention_tasks(std::int64_t rows, std::int64_t key_rows, std::int64_t batch) {
  return rows / kAttentionTile + batch + (key_rows > 0 ? key_rows / kAttentionTile + batch : 0);
}

void plan_attention(const AttentionPlan& plan, cudaStream_t stream) {
  plan_kernel<<<2, kPlanThreads, 0, stream>>>(plan);
}

}  // namespace linformer
