// SPDX-License-Identifier: Apache-2.0
// How queries are dealt to clusters, and the running softmax, for long_attention_hopper.cu.
#pragma once

#include "kernels/hopper.cuh"
#include "kernels/long_attention_hopper.h"

namespace linformer::hopper {

constexpr int kBlocks = 2;          // of a cluster
constexpr int kGroups = 2;          // warpgroups of a block that multiply
constexpr int kBlockQueries = 128;  // 64 of each
constexpr int kPairQueries = kBlocks * kBlockQueries;
constexpr int kKeys = 128;   // of a tile
constexpr int kScores = 64;  // of a thread: 64 x 128 of a warpgroup

/// What a cluster works on: queries `first` up to `first` + 255 of a sequence and a head.
struct Task {
  int query_start, queries, key_start, keys;
  int first;
  int head;
  int tiles;  // of keys

  __device__ bool is_empty() const { return first >= queries; }
};

/// The tasks in the order in which they are dealt: last queries first, which have most keys where
/// attention is causal; then by heads. Clusters take turns, every other round backwards.
class Tasks {
 public:
  __device__ explicit Tasks(const LongAttention& in) : in_(in) {
    lines_ = static_cast<int>(in.batch * in.heads);
    pairs_ = static_cast<int>((in.max_queries + kPairQueries - 1) / kPairQueries);
    clusters_ = static_cast<int>(gridDim.x) / kBlocks;
  }

  /// Calls f(task) for each of this cluster's, the empty ones left out.
  template <typename Function>
  __device__ void for_each(const Function& f) const {
    const int cluster = static_cast<int>(blockIdx.x) / kBlocks;
    for (int start = 0, round = 0; start < pairs_ * lines_; start += clusters_, ++round) {
      const int index = start + (round % 2 == 0 ? cluster : clusters_ - 1 - cluster);
      if (index >= pairs_ * lines_) continue;
      const Task task = at(index);
      if (!task.is_empty()) f(task);
    }
  }

 private:
  __device__ Task at(int index) const {
    const int line = index % lines_;
    const int sequence = line / static_cast<int>(in_.heads);
    Task out;
    out.query_start = in_.query_start_B1[sequence];
    out.queries = in_.query_start_B1[sequence + 1] - out.query_start;
    out.key_start = in_.key_start_B1[sequence];
    out.keys = in_.key_start_B1[sequence + 1] - out.key_start;
    out.first = (pairs_ - 1 - index / lines_) * kPairQueries;
    out.head = line % static_cast<int>(in_.heads);
    const int seen = in_.causal ? min(out.keys, out.first + kPairQueries) : out.keys;
    out.tiles = (seen + kKeys - 1) / kKeys;
    return out;
  }

  const LongAttention& in_;
  int lines_;
  int pairs_;
  int clusters_;
};

/// What is known of the softmax of a thread's two rows.
struct Softmax {
  float largest[2] = {-INFINITY, -INFINITY};  // of scores, the same in the four threads of a row
  float sum[2] = {};                          // of this thread's weights

  /// Scores become weights relative to the largest so far; factors: what earlier sums shrink by.
  __device__ void take(float (&scores)[kScores], float scale, float (&factors)[2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float larger = fmaxf(largest[half], quad_max(row_max(scores, half)));
      factors[half] = exp2_fast((largest[half] - larger) * scale);
      largest[half] = larger;
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float shift = largest[half] * scale;
      float partial[2] = {};
#pragma unroll
      for (int i = 0; i < kScores / 2; ++i) {
        float& score = scores[i / 2 * 4 + 2 * half + i % 2];
        score = exp2_fast(fmaf(score, scale, -shift));
        partial[i % 2] += score;
      }
      sum[half] = sum[half] * factors[half] + (partial[0] + partial[1]);
    }
  }
};

}  // namespace linformer::hopper
