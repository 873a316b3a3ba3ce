// SPDX-License-Identifier: Apache-2.0
// How queries are dealt to clusters, and the running softmax, for long_attention_hopper.cu.
#pragma once

#include "kernels/hopper.cuh"
#include "kernels/long_attention_hopper.h"

namespace linformer::hopper {

constexpr int kBlocks = 2;         // of a cluster
constexpr int kGroupQueries = 64;  // of a warpgroup that multiplies
constexpr int kKeys = 128;         // of a tile
constexpr int kScores = 64;        // of a thread: 64 x 128 of a warpgroup
constexpr int kWidth = 64;         // of a head

/// How the keys of the last tasks are split, so that they keep all clusters busy.
struct Deal {
  int queries;  // of a task
  int lines;    // heads of all sequences
  int tasks;
  int whole;  // tasks; each of the others is dealt as
  int parts;  // so many tasks with a part of its keys

  __host__ __device__ int count() const { return whole + (tasks - whole) * parts; }
};

/// What a cluster works on: its blocks' queries from `first` on, of a sequence and a head.
struct Task {
  int query_start, queries, key_start, keys;
  int first;
  int head;
  int tiles;  // of keys
  int part;   // of a split task: the number of its part, all split tasks' counted; or -1
};

/// Number `index` < tasks of all tasks: the last queries first, which have most keys where
/// attention is causal; then by heads.
__device__ inline Task task_at(const LongAttention& in, const Deal& deal, int index) {
  const int line = index % deal.lines;
  const int sequence = line / static_cast<int>(in.heads);
  Task out;
  out.query_start = in.query_start_B1[sequence];
  out.queries = in.query_start_B1[sequence + 1] - out.query_start;
  out.key_start = in.key_start_B1[sequence];
  out.keys = in.key_start_B1[sequence + 1] - out.key_start;
  out.first = (deal.tasks - 1 - index) / deal.lines * deal.queries;
  out.head = line % static_cast<int>(in.heads);
  const int seen = in.causal ? min(out.keys, out.first + deal.queries) : out.keys;
  out.tiles = (seen + kKeys - 1) / kKeys;
  out.part = -1;
  return out;
}

/// The tasks of a cluster, one after the other. Clusters take turns, every other round backwards.
class Tasks {
 public:
  __device__ Tasks(const LongAttention& in, const Deal& deal) : in_(in), deal_(deal) {}

  /// From `round` on, which is 0 at first. False: there are no more. Empty ones are left out.
  __device__ bool next(int& round, Task& out) const {
    const int clusters = static_cast<int>(gridDim.x) / kBlocks;
    const int cluster = static_cast<int>(blockIdx.x) / kBlocks;
    while (round * clusters < deal_.count()) {
      const int index = round * clusters + (round % 2 == 0 ? cluster : clusters - 1 - cluster);
      ++round;
      if (index >= deal_.count()) continue;
      out = index < deal_.whole ? task_at(in_, deal_, index) : part_at(index - deal_.whole);
      if (out.first < out.queries) return true;
    }
    return false;
  }

 private:
  /// Of attention that is not causal.
  __device__ Task part_at(int number) const {
    Task out = task_at(in_, deal_, deal_.whole + number / deal_.parts);
    const int begin = out.tiles * (number % deal_.parts) / deal_.parts;
    const int end = out.tiles * (number % deal_.parts + 1) / deal_.parts;
    out.key_start += begin * kKeys;
    out.keys -= begin * kKeys;
    out.tiles = end - begin;
    out.part = number;
    return out;
  }

  const LongAttention& in_;
  const Deal& deal_;
};

constexpr int kPartFloats = kWidth + 2;  // of a row: sums, reference, sum of weights

/// What is known of the softmax of a thread's two rows. Weights are relative to `reference`, a
/// score that no later one exceeds by more than a factor of 2^kHeadroom: as it seldom moves, so
/// seldom do sums have to shrink.
struct Softmax {
  static constexpr float kHeadroom = 8;
  static constexpr float kScale = kLog2E / 8;  // 1 / sqrt(kWidth), for powers of 2

  float reference[2] = {-INFINITY, -INFINITY};  // the same in the four threads of a row
  float sum[2] = {};                            // of this thread's weights
  float factors[2];                             // what earlier sums shrink by, where `shrinks`
  bool shrinks = false;                         // the same in all threads of a warp

  /// Scores become weights.
  __device__ void take(float (&scores)[kScores]) {
    const float largest[2] = {row_max(scores, 0), row_max(scores, 1)};
    const float limit = kHeadroom / kScale;
    shrinks = __any_sync(0xFFFFFFFFU, largest[0] > reference[0] + limit ||
                                          largest[1] > reference[1] + limit) != 0;
    if (shrinks) raise(largest);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float shift = reference[half] * kScale;
      float partial[2] = {};
#pragma unroll
      for (int i = 0; i < kScores / 2; ++i) {
        float& score = scores[i / 2 * 4 + 2 * half + i % 2];
        const float power = fmaf(score, kScale, -shift);
        score = exp2_fast(power);
        partial[i % 2] += score;
      }
      sum[half] += partial[0] + partial[1];
    }
  }

 private:
  __device__ void raise(const float (&largest)[2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float larger = fmaxf(reference[half], quad_max(largest[half]));
      factors[half] = exp2_fast((reference[half] - larger) * kScale);
      reference[half] = larger;
      sum[half] *= factors[half];
    }
  }
};

}  // namespace linformer::hopper
