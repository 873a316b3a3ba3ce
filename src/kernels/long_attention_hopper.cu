// SPDX-License-Identifier: Apache-2.0
// Two blocks of a cluster own 256 queries of a head and stream its keys and values past them, each
// copying one half of every tile to both. In a block two warpgroups have 64 queries each and take
// turns: while one multiplies, the other is at its exponentials. Within a warpgroup the product of
// weights and values of one tile runs beside the exponentials of the next.
#include <algorithm>

#include "kernels/hopper_map.cuh"
#include "kernels/hopper_ring.cuh"
#include "kernels/long_attention.cuh"
#include "kernels/long_attention_hopper.h"

namespace linformer {
namespace {

using namespace hopper;

constexpr int kWidth = 64;  // of a head
constexpr int kGroupQueries = 64;
constexpr int kBoxRows = 64;
constexpr int kTileBytes = kKeys * kWidth * 2;  // of keys, of values, and of a block's queries
constexpr int kThreads = (kGroups + 1) * kWarpgroup;
constexpr int kSums = 32;  // of a thread: 64 x 64 of a warpgroup
using QueryRing = TileRing<2, kTileBytes>;
using KeyRing = TileRing<4, kTileBytes>;  // and values'
constexpr int kTilesBytes = QueryRing::kTileBytes + 2 * KeyRing::kTileBytes;
constexpr int kSharedBytes =
    kTilesBytes + QueryRing::kBarrierBytes + 2 * KeyRing::kBarrierBytes + kAtomBytes;

static_assert(kBlockQueries == kKeys && kKeys == kBlocks * kBoxRows && kGroupQueries == kBoxRows);

struct Shared {
  QueryRing queries;
  KeyRing keys;
  KeyRing values;

  __device__ explicit Shared(const void* memory) {
    queries.data = aligned_tiles(memory);
    keys.data = queries.data + QueryRing::kTileBytes;
    values.data = keys.data + KeyRing::kTileBytes;
    queries.barriers = queries.data + kTilesBytes;
    keys.barriers = queries.barriers + QueryRing::kBarrierBytes;
    values.barriers = keys.barriers + KeyRing::kBarrierBytes;
  }
  __device__ void init() const {
    queries.init(kGroups);
    keys.init(kBlocks * kGroups);
    values.init(kBlocks * kGroups);
    barrier_init_done();
  }
};

struct Maps {
  CUtensorMap queries;
  CUtensorMap keys;
  CUtensorMap values;
};

/// One thread fetches its block's queries, and its half of keys and values for both blocks.
__device__ void produce(const Maps& maps, const Tasks& tasks, const Shared& shared) {
  const int rank = static_cast<int>(cluster_rank());
  QueryRing::Place query;
  KeyRing::Place key;
  KeyRing::Place value;
  const auto copy_half = [&](const CUtensorMap& map, const KeyRing& ring, KeyRing::Place& place,
                             const Task& task, int tile) {
    ring.await_empty(place);
    copy_box_to(ring.slot(place.slot) + rank * (kTileBytes / kBlocks), map, task.head * kWidth,
                task.key_start + tile * kKeys + rank * kBoxRows, ring.full(place.slot),
                (1 << kBlocks) - 1);
    place.advance();
  };
  tasks.for_each([&](const Task& task) {
    if (task.tiles == 0) return;
    shared.queries.await_empty(query);
    for (int half = 0; half < 2; ++half) {
      copy_box(shared.queries.slot(query.slot) + half * (kTileBytes / 2), maps.queries,
               task.head * kWidth,
               task.query_start + task.first + rank * kBlockQueries + half * kBoxRows,
               shared.queries.full(query.slot));
    }
    query.advance();
    for (int tile = 0; tile <= task.tiles; ++tile) {
      if (tile < task.tiles) copy_half(maps.keys, shared.keys, key, task, tile);
      if (tile > 0) copy_half(maps.values, shared.values, value, task, tile - 1);
    }
  });
}

/// A warpgroup that multiplies.
class Group {
 public:
  __device__ Group(const LongAttention& in, const Shared& shared)
      : in_(in), shared_(shared), index_(static_cast<int>(threadIdx.x) / kWarpgroup - 1) {}

  __device__ void consume(const Tasks& tasks) {
    if (index_ == 1) named_arrive(turn(0), kTurnThreads);
    tasks.for_each([&](const Task& task) { attend(task); });
    if (index_ == 0) named_wait(turn(0), kTurnThreads);
  }

 private:
  static constexpr int kTurnThreads = kGroups * kWarpgroup;

  __device__ static int turn(int group) { return group + 1; }

  __device__ void attend(const Task& task) {
    const int row = task.first + static_cast<int>(cluster_rank()) * kBlockQueries +
                    index_ * kGroupQueries +
                    static_cast<int>(threadIdx.x) % kWarpgroup / kWarp * 16 +
                    static_cast<int>(threadIdx.x) % kWarp / 4;
    float sums[kSums];
#pragma unroll
    for (float& sum : sums) sum = 0;
    Softmax softmax;
    if (task.tiles > 0) run(task, row, softmax, sums);
    store(task, row, softmax, sums);
  }

  __device__ void run(const Task& task, int row, Softmax& softmax, float (&sums)[kSums]) {
    const float scale = kLog2E * rsqrtf(static_cast<float>(kWidth));
    float scores[kScores];
    unsigned weights[kKeys / kStepColumns][4];
    float factors[2];
    shared_.queries.await_full(query_);
    const std::uint64_t queries =
        operand(shared_.queries.slot(query_.slot) + index_ * (kTileBytes / kGroups));
    multiply_keys(queries, scores);
    products_wait<0>();
    pin(scores);
    release_keys();
    mask(task, row, 0, scores);
    softmax.take(scores, scale, factors);
    for (int tile = 1; tile < task.tiles; ++tile) {
      // At the top, where the compiler cannot move the wait before the exponentials.
      finish_values(tile > 1, factors, sums);
      pack(scores, weights);
      named_wait(turn(index_), kTurnThreads);
      multiply_keys(queries, scores);
      multiply_values(weights, sums);
      named_arrive(turn(1 - index_), kTurnThreads);
      products_wait<1>();
      pin(scores);
      release_keys();
      mask(task, row, tile, scores);
      softmax.take(scores, scale, factors);
    }
    shared_.queries.release(query_.slot);
    query_.advance();
    finish_values(task.tiles > 1, factors, sums);
    pack(scores, weights);
    multiply_values(weights, sums);
    products_wait<0>();
    pin(sums);
    release_values();
  }

  /// Until the products under way are in the sums, which then shrink.
  __device__ void finish_values(bool are_under_way, const float (&factors)[2],
                                float (&sums)[kSums]) {
    products_wait<0>();
    pin(sums);
    if (are_under_way) release_values();
#pragma unroll
    for (int i = 0; i < kSums; ++i) sums[i] *= factors[i / 2 % 2];
  }

  __device__ void multiply_keys(std::uint64_t queries, float (&scores)[kScores]) {
    shared_.keys.await_full(key_);
    const std::uint64_t keys = operand(shared_.keys.slot(key_.slot));
    products_fence();
    multiply_128<false>(scores, queries, keys);
#pragma unroll
    for (int i = 1; i < kWidth / kStepColumns; ++i) {
      multiply_128<true>(scores, queries + 2 * i, keys + 2 * i);
    }
    products_commit();
  }
  __device__ void multiply_values(const unsigned (&weights)[kKeys / kStepColumns][4],
                                  float (&sums)[kSums]) {
    constexpr int kStep = kStepColumns * kWidth * 2 / 16;  // bytes / 16
    shared_.values.await_full(value_);
    const std::uint64_t values = operand(shared_.values.slot(value_.slot));
    products_fence();
#pragma unroll
    for (int i = 0; i < kKeys / kStepColumns; ++i) {
      multiply_64(sums, weights[i], values + kStep * i);
    }
    products_commit();
  }
  __device__ void release_keys() {
    shared_.keys.release_to_both(key_.slot);
    key_.advance();
  }
  __device__ void release_values() {
    shared_.values.release_to_both(value_.slot);
    value_.advance();
  }

  /// Keys that a row does not see: those after the sequence, or after the row.
  __device__ void mask(const Task& task, int row, int tile, float (&scores)[kScores]) const {
    const int end = (tile + 1) * kKeys;
    const int group_row = row & ~(kGroupQueries - 1);
    if (end <= task.keys && (!in_.causal || end <= group_row + 1)) return;
    const int column = tile * kKeys + static_cast<int>(threadIdx.x) % 4 * 2;
    const int upper = (in_.causal ? min(task.keys, row + 1) : task.keys) - column;
    const int lower = (in_.causal ? min(task.keys, row + 9) : task.keys) - column;
#pragma unroll
    for (int i = 0; i < kScores; ++i) {
      if (i / 4 * 8 + i % 2 >= (i / 2 % 2 == 0 ? upper : lower)) scores[i] = -INFINITY;
    }
  }

  /// 64 x 16 weights after another, as left operands.
  __device__ static void pack(const float (&weights)[kScores],
                              unsigned (&out)[kKeys / kStepColumns][4]) {
#pragma unroll
    for (int i = 0; i < kScores / 2; ++i) {
      out[i / 4][i % 4] = packed(weights[2 * i], weights[2 * i + 1]);
    }
  }

  __device__ void store(const Task& task, int row, const Softmax& softmax,
                        const float (&sums)[kSums]) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const std::int64_t width = in_.heads * kWidth;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float sum = quad_sum(softmax.sum[half]);
      const float inverse = task.tiles > 0 ? 1.0F / sum : 0.0F;
      const int own_row = row + 8 * half;
      if (own_row >= task.queries) continue;
      const std::int64_t at = task.query_start + own_row;
      auto* out = reinterpret_cast<unsigned*>(static_cast<__nv_bfloat16*>(in_.out_TM) + at * width +
                                              task.head * kWidth) +
                  lane % 4;
#pragma unroll
      for (int i = 0; i < kSums / 4; ++i) {
        out[4 * i] = packed(sums[4 * i + 2 * half] * inverse, sums[4 * i + 2 * half + 1] * inverse);
      }
      if (lane % 4 == 0 && in_.lse_HT != nullptr) {
        const float scale = rsqrtf(static_cast<float>(kWidth));
        in_.lse_HT[task.head * in_.rows + at] =
            task.tiles > 0 ? softmax.largest[half] * scale + logf(sum) : INFINITY;
      }
    }
    __syncwarp();
  }

  const LongAttention& in_;
  const Shared& shared_;
  const int index_;
  QueryRing::Place query_;
  KeyRing::Place key_;
  KeyRing::Place value_;
};

__global__ void __cluster_dims__(kBlocks, 1, 1) __launch_bounds__(kThreads, 1)
    attention_kernel(const __grid_constant__ Maps maps, const __grid_constant__ LongAttention in) {
  extern __shared__ char memory[];
  const Shared shared(memory);
  if (threadIdx.x == 0) {
    prefetch_map(maps.queries);
    prefetch_map(maps.keys);
    prefetch_map(maps.values);
    shared.init();
  }
  cluster_sync();
  const Tasks tasks(in);
  if (threadIdx.x < kWarpgroup) {
    give_registers<40>();
    if (threadIdx.x == 0) produce(maps, tasks, shared);
    __syncwarp();
  } else {
    take_registers<232>();
    Group(in, shared).consume(tasks);
  }
  // A block's memory is written and its barriers are used by its peer until both are done.
  cluster_sync();
}

}  // namespace

bool has_long_attention(std::int64_t head_width) {
  return head_width == kWidth && hopper::is_hopper();
}

bool attend_long(const LongAttention& in, cudaStream_t stream) {
  if (!has_long_attention(kWidth)) return false;
  const std::int64_t columns = in.heads * kWidth;
  Maps maps;
  if (!encode_map({in.query_TM, in.rows, columns, in.query_stride}, kBoxRows, maps.queries) ||
      !encode_map({in.key_SM, in.key_rows, columns, in.key_value_stride}, kBoxRows, maps.keys) ||
      !encode_map({in.value_SM, in.key_rows, columns, in.key_value_stride}, kBoxRows,
                  maps.values)) {
    return false;
  }
  const std::int64_t tasks = divide_up(in.max_queries, kPairQueries) * in.batch * in.heads;
  const std::int64_t clusters =
      std::min<std::int64_t>(std::max(multiprocessors() / kBlocks, 1), tasks);
  cudaFuncSetAttribute(attention_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kSharedBytes);
  attention_kernel<<<static_cast<unsigned>(clusters * kBlocks), kThreads, kSharedBytes, stream>>>(
      maps, in);
  return true;
}

}  // namespace linformer
