// SPDX-License-Identifier: Apache-2.0
// The variants of long_attention_hopper.cu, and a warpgroup that multiplies.
#pragma once

#include <type_traits>

#include "kernels/hopper_ring.cuh"
#include "kernels/long_attention.cuh"

namespace linformer::hopper {

/// A kernel.
struct Variant {
  const char* name;
  int groups;          // warpgroups of a block that multiply
  bool holds_queries;  // in registers
};
constexpr Variant kVariants[] = {{"3 groups", 3, false}, {"2 groups, Q in registers", 2, true}};
constexpr int kVariantCount = sizeof(kVariants) / sizeof(kVariants[0]);

constexpr int kBoxRows = 64;
constexpr int kBoxBytes = kBoxRows * kWidth * 2;
constexpr int kTileBytes = kKeys * kWidth * 2;  // of keys, of values
constexpr int kSums = 32;                       // of a thread: 64 x 64 of a warpgroup
static_assert(kKeys == kBlocks * kBoxRows && kGroupQueries == kBoxRows);
using KeyRing = TileRing<4, kTileBytes>;  // and values'

template <int kVariant>
struct Shared {
  static constexpr int kGroups = kVariants[kVariant].groups;
  static constexpr int kBlockQueries = kGroups * kGroupQueries;
  static constexpr int kThreads = (kGroups + 1) * kWarpgroup;
  using QueryRing = TileRing<2, kGroups * kBoxBytes>;
  static constexpr int kTilesBytes = QueryRing::kTileBytes + 2 * KeyRing::kTileBytes;
  static constexpr int kBytes =
      kTilesBytes + QueryRing::kBarrierBytes + 2 * KeyRing::kBarrierBytes + kAtomBytes;

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

/// A warpgroup that multiplies.
template <int kVariant>
class Group {
 public:
  using Sizes = Shared<kVariant>;

  __device__ Group(const LongAttention& in, const Tasks& tasks, const Sizes& shared)
      : in_(in),
        tasks_(tasks),
        shared_(shared),
        index_(static_cast<int>(threadIdx.x) / kWarpgroup - 1) {}

  __device__ void consume() {
    if (index_ == kGroups - 1) named_arrive(turn(0), 2 * kWarpgroup);
    if (begin_task()) attend();
    if (index_ == 0) named_wait(turn(0), 2 * kWarpgroup);
  }

 private:
  static constexpr int kGroups = Sizes::kGroups;
  static constexpr bool kHoldsQueries = kVariants[kVariant].holds_queries;
  static constexpr int kSteps = kWidth / kStepColumns;

  __device__ static int turn(int group) { return group + 1; }

  __device__ void attend() {
    float sums[kSums] = {};
    float first[kScores];
    multiply_keys(first);
    products_wait<0>();
    pin(first);
    release_keys();
    weigh(first);
    while (step(first, sums)) continue;
    products_wait<0>();
  }

  /// `scores` are the weights of the tile and become those of the next one, if there is one.
  __device__ bool step(float (&scores)[kScores], float (&sums)[kSums]) {
    unsigned weights[kKeys / kStepColumns][4];
    // At the top, where the compiler cannot move the wait before the exponentials.
    products_wait<0>();
    finish_values(sums);
    pack(scores, weights);
    await_turn();
    multiply_keys(scores);
    multiply_values(weights, sums);
    end_turn();
    products_wait<1>();
    pin(scores);
    release_keys();
    if (++tile_ == task_.tiles && !next_task(sums)) return false;
    weigh(scores);
    return true;
  }

  __device__ void await_turn() const { named_wait(turn(index_), 2 * kWarpgroup); }
  __device__ void end_turn() const { named_arrive(turn((index_ + 1) % kGroups), 2 * kWarpgroup); }

  /// The sums are those of the tiles before this one.
  __device__ void finish_values(float (&sums)[kSums]) {
    pin(sums);
    if (tile_ > 0) release_values();
    if (tile_ > 0 && softmax_.shrinks) {
#pragma unroll
      for (int i = 0; i < kSums; ++i) sums[i] *= softmax_.factors[i / 2 % 2];
    }
  }

  __device__ bool next_task(float (&sums)[kSums]) {
    products_wait<0>();
    pin(sums);
    release_values();
    shared_.queries.release(query_slot_);
    query_slot_ ^= 1;
    store(sums);
    return begin_task();
  }

  /// Goes on to the next task that has keys; results of those without are stored here.
  __device__ bool begin_task() {
    tile_ = 0;
    softmax_ = Softmax();
    while (tasks_.next(round_, task_)) {
      row_ = task_.first + static_cast<int>(cluster_rank()) * Sizes::kBlockQueries +
             index_ * kGroupQueries + static_cast<int>(threadIdx.x) % kWarpgroup / kWarp * 16 +
             static_cast<int>(threadIdx.x) % kWarp / 4;
      if (task_.tiles > 0) return true;
      store_zeros();
    }
    return false;
  }

  __device__ void weigh(float (&scores)[kScores]) {
    mask(scores);
    softmax_.take(scores);
  }

  /// Begins the scores of the next tile, be it the next task's. If there is none, those of whatever
  /// is in shared memory: nobody reads them.
  __device__ void multiply_keys(float (&scores)[kScores]) {
    if (tiles_ahead_ == 0) begin_queries();
    has_keys_ = tiles_ahead_ > 0;
    if (has_keys_) shared_.keys.await_full(key_);
    const std::uint64_t keys = operand(shared_.keys.slot(key_.slot));
    products_fence();
    multiply_128<false>(scores, query(0), keys);
#pragma unroll
    for (int i = 1; i < kSteps; ++i) multiply_128<true>(scores, query(i), keys + 2 * i);
    products_commit();
    if (has_keys_) --tiles_ahead_;
  }
  __device__ void begin_queries() {
    Task task;
    while (tiles_ahead_ == 0 && tasks_.next(round_ahead_, task)) tiles_ahead_ = task.tiles;
    if (tiles_ahead_ == 0) return;
    shared_.queries.await_full(query_);
    const unsigned address = shared_.queries.slot(query_.slot) + index_ * kBoxBytes;
    if constexpr (kHoldsQueries) {
      const unsigned thread = threadIdx.x % kWarpgroup;
      const unsigned row = thread / kWarp * 16 + thread % 16;
#pragma unroll
      for (unsigned i = 0; i < kSteps; ++i) {
        const unsigned chunk = (2 * i + thread % kWarp / 16) ^ (row % kAtomRows);
        load_matrix(address + row * (kWidth * 2) + chunk * 16, query_words_[i]);
      }
    } else {
      queries_ = operand(address);
    }
    query_.advance();
  }
  /// 16 of their columns, as a left operand.
  __device__ auto query(int i) const
      -> std::conditional_t<kHoldsQueries, const unsigned (&)[4], std::uint64_t> {
    if constexpr (kHoldsQueries) {
      return query_words_[i];
    } else {
      return queries_ + 2 * i;
    }
  }
  /// Of the scores that were begun last, which are there.
  __device__ void release_keys() {
    if (!has_keys_) return;
    shared_.keys.release_to_both(key_.slot);
    key_.advance();
  }

  __device__ void multiply_values(const unsigned (&weights)[kKeys / kStepColumns][4],
                                  float (&sums)[kSums]) {
    constexpr int kStep = kStepColumns * kWidth * 2 / 16;  // bytes / 16
    shared_.values.await_full(value_);
    const std::uint64_t values = operand(shared_.values.slot(value_.slot));
    products_fence();
#pragma unroll
    for (int i = 0; i < kKeys / kStepColumns; ++i) {
      multiply_64(sums, weights[i], values + kStep * i, i > 0 || tile_ > 0);
    }
    products_commit();
  }
  __device__ void release_values() {
    shared_.values.release_to_both(value_.slot);
    value_.advance();
  }

  /// Keys that a row does not see: those after the sequence, or after the row.
  __device__ void mask(float (&scores)[kScores]) const {
    const int end = (tile_ + 1) * kKeys;
    const int group_row = row_ & ~(kGroupQueries - 1);
    if (end <= task_.keys && (!in_.causal || end <= group_row + 1)) return;
    const int column = tile_ * kKeys + static_cast<int>(threadIdx.x) % 4 * 2;
    const int upper = (in_.causal ? min(task_.keys, row_ + 1) : task_.keys) - column;
    const int lower = (in_.causal ? min(task_.keys, row_ + 9) : task_.keys) - column;
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

  __device__ void store(const float (&sums)[kSums]) const {
    if (task_.part >= 0) return store_part(sums);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float sum = quad_sum(softmax_.sum[half]);
      const float inverse = 1.0F / sum;
      const float scale = rsqrtf(static_cast<float>(kWidth));
      store_row(half, softmax_.reference[half] * scale + logf(sum), [&](int i) {
        return packed(sums[4 * i + 2 * half] * inverse, sums[4 * i + 2 * half + 1] * inverse);
      });
    }
    __syncwarp();
  }
  /// For want of keys.
  __device__ void store_zeros() const {
    if (task_.part >= 0) return store_part({});
    for (int half = 0; half < 2; ++half) store_row(half, INFINITY, [](int) { return 0U; });
    __syncwarp();
  }
  __device__ void store_part(const float (&sums)[kSums]) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int task_row = row_ - task_.first;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float sum = quad_sum(softmax_.sum[half]);
      const std::int64_t at =
          std::int64_t{task_.part} * (kBlocks * Sizes::kBlockQueries) + task_row + 8 * half;
      auto* pairs = reinterpret_cast<float2*>(in_.partial + at * kPartFloats) + lane % 4;
#pragma unroll
      for (int i = 0; i < kSums / 4; ++i) {
        pairs[4 * i] = make_float2(sums[4 * i + 2 * half], sums[4 * i + 2 * half + 1]);
      }
      if (lane % 4 == 0) pairs[kWidth / 2] = make_float2(softmax_.reference[half], sum);
    }
    __syncwarp();
  }
  /// columns(i): columns 8 i + 2 (lane % 4) and the next.
  template <typename Columns>
  __device__ void store_row(int half, float lse, const Columns& columns) const {
    const int row = row_ + 8 * half;
    if (row >= task_.queries) return;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const std::int64_t at = task_.query_start + row;
    auto* out = static_cast<__nv_bfloat16*>(in_.out_TM) + (at * in_.heads + task_.head) * kWidth;
    unsigned* words = reinterpret_cast<unsigned*>(out) + lane % 4;
#pragma unroll
    for (int i = 0; i < kWidth / 8; ++i) words[4 * i] = columns(i);
    if (lane % 4 == 0 && in_.lse_HT != nullptr) in_.lse_HT[task_.head * in_.rows + at] = lse;
  }

  const LongAttention& in_;
  const Tasks& tasks_;
  const Sizes& shared_;
  const int index_;
  Task task_;
  int round_ = 0;  // of tasks_, after task_
  int row_;        // the thread's upper one
  int tile_ = 0;   // of task_
  unsigned query_slot_ = 0;
  Softmax softmax_;
  KeyRing::Place value_;
  // Of the scores that are begun next, or were last:
  int round_ahead_ = 0;
  int tiles_ahead_ = 0;  // that are left of the task
  std::uint64_t queries_ = 0;
  unsigned query_words_[kSteps][4];
  typename Sizes::QueryRing::Place query_;  // the next task's
  KeyRing::Place key_;
  bool has_keys_ = false;
};

}  // namespace linformer::hopper
