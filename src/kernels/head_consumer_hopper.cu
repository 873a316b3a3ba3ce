// SPDX-License-Identifier: Apache-2.0
// The weight streams past rows of `hidden` (kernels/row_stream.cuh), and each tile of logits is
// folded into the rows' running maximum, sum, argmax and target. What a cluster has of a row goes
// to `partial`, where a second kernel puts it together.
#include <climits>

#include "kernels/head_consumer_hopper.h"
#include "kernels/head_rows.cuh"
#include "kernels/row_stream.cuh"

namespace linformer {
namespace {

using namespace hopper;

// Of a column that does not exist: far below any logit, and finite when multiplied.
constexpr float kNoLogit = -1e30F;

struct Maps {
  CUtensorMap hidden;
  CUtensorMap weight;
  CUtensorMap logits;  // where they are stored
};

/// A thread's 32 logits of a row in a tile, columns first_column + 8 j and the next. kHalf: of its
/// upper row or of its lower one. kStores: the logits are wanted, no choice among them.
template <int kHalf, bool kStores>
class RowLogits {
 public:
  __device__ RowLogits(const float (&sums)[kSums], int first_column)
      : sums_(sums), first_column_(first_column) {}

  /// All of them may be chosen, unless some_ids says that only those below `ids` may.
  __device__ void fold(int target, bool some_ids, int ids, RowState& row) const {
    const float largest = row_max(sums_, kHalf);
    if (!kStores && some_ids) choose_below(ids, row);
    if (largest > row.largest) {
      row.sum *= exp2_fast((row.largest - largest) * kLog2E);
      row.largest = largest;
      if (!kStores && !some_ids) choose(largest, row);
    }
    const int at = target - first_column_;
    if (at >= 0 && at < kColumns) {
#pragma unroll
      for (int i = 0; i < kSums / 2; ++i) {
        if (at == column(i)) row.at_target = logit(i);
      }
    }
    const float shift = row.largest * kLog2E;
    float partial[4] = {};
#pragma unroll
    for (int i = 0; i < kSums / 2; ++i) {
      partial[i % 4] += exp2_fast(fmaf(logit(i), kLog2E, -shift));
    }
    row.sum += (partial[0] + partial[1]) + (partial[2] + partial[3]);
  }

  /// Of columns below `end`.
  __device__ float total(int end) const {
    float out[4] = {};
    if (first_column_ + kColumns <= end) {
#pragma unroll
      for (int i = 0; i < kSums / 2; ++i) out[i % 4] += logit(i);
    } else {
#pragma unroll
      for (int i = 0; i < kSums / 2; ++i) {
        if (first_column_ + column(i) < end) out[i % 4] += logit(i);
      }
    }
    return (out[0] + out[1]) + (out[2] + out[3]);
  }

 private:
  __device__ float logit(int i) const { return sums_[i / 2 * 4 + kHalf * 2 + i % 2]; }
  __device__ static constexpr int column(int i) { return i / 2 * 8 + i % 2; }

  /// The first of those that are the largest.
  __device__ void choose(float largest, RowState& row) const {
    int best = 0;
#pragma unroll
    for (int i = kSums / 2 - 1; i >= 0; --i) best = logit(i) == largest ? column(i) : best;
    row.best = first_column_ + best;
    row.best_logit = largest;
  }
  __device__ void choose_below(int ids, RowState& row) const {
#pragma unroll
    for (int i = 0; i < kSums / 2; ++i) {
      if (first_column_ + column(i) < ids && logit(i) > row.best_logit) {
        row.best_logit = logit(i);
        row.best = first_column_ + column(i);
      }
    }
  }

  const float (&sums_)[kSums];
  const int first_column_;
};

/// Where a segment of a row's logits is summed up.
__device__ float* partial_of(const HeadConsumer& in, int segment, int row) {
  return in.partial + (std::int64_t{segment} * kPairRows + row % kPairRows) * RowState::kFloats;
}

/// A warpgroup that multiplies.
template <int kChunks, bool kStores>
class Group {
 public:
  __device__ Group(const HeadConsumer& in, const Plan& plan, const CUtensorMap& logits_map,
                   const StreamMemory<kStores>& memory)
      : in_(in),
        plan_(plan),
        logits_map_(logits_map),
        stream_(plan, memory.ring),
        stage_(memory.stage(stream_.index())) {}

  __device__ void consume() {
    stream_.consume([&](int pair, int group_row, const auto& hidden, int first, int last) {
      consume_pair(pair, group_row, hidden, first, last);
    });
    if (kStores && Stage::is_first_thread()) copies_out_wait();
  }

 private:
  using Stream = RowStream<kChunks, WeightRows::kColumns, typename StreamMemory<kStores>::Ring>;

  __device__ void consume_pair(int pair, int group_row, const typename Stream::Rows& hidden,
                               int first, int last) {
    const int lane = threadIdx.x % kWarp;
    const int row = group_row + Stream::upper_row();
    RowState upper;
    RowState lower;
    const int upper_target = target_of(row);
    const int lower_target = target_of(row + 8);
    for (int tile = first; tile < last; ++tile) {
      const int first_column = tile * kColumns + lane % 4 * 2;
      float sums[kSums];
      multiply(hidden, tile, sums);
      const RowLogits<0, kStores> upper_logits(sums, first_column);
      const RowLogits<1, kStores> lower_logits(sums, first_column);
      if constexpr (kStores) {
        store(group_row, tile, sums);
        upper.total += upper_logits.total(plan_.columns);
        lower.total += lower_logits.total(plan_.columns);
      }
      if (first_column + kColumns > plan_.columns) drop_columns(first_column, sums);
      const int ids = static_cast<int>(in_.num_ids);
      const bool some_ids = (tile + 1) * kColumns > ids;
      upper_logits.fold(upper_target, some_ids, ids, upper);
      lower_logits.fold(lower_target, some_ids, ids, lower);
      __syncwarp();
    }
    upper.merge_lane(1);
    upper.merge_lane(2);
    lower.merge_lane(1);
    lower.merge_lane(2);
    const int segment = pair + static_cast<int>(blockIdx.x) / kBlocks;
    float* out = partial_of(in_, segment, row);
    if (lane % 4 == 0) {
      upper.save(out);
      lower.save(out + 8 * RowState::kFloats);
    }
  }

  __device__ void store(int group_row, int tile, const float (&sums)[kSums]) const {
    stage_.await_copy_out();
#pragma unroll
    for (int j = 0; j < kColumns / 8; j += 2) {
      unsigned words[4];
      words_of(sums, j, words);
      store_matrices(stage_.address(j), words);
    }
    stage_.copy_out(logits_map_, tile * kColumns, group_row);
  }

  __device__ int target_of(int row) const {
    return in_.target_T != nullptr && row < plan_.rows ? in_.target_T[row] : -1;
  }

  /// The bias of a tile, two columns to a word: lane i has words i and i + 32. Nothing waits for
  /// it.
  __device__ void load_bias(int tile, unsigned (&out)[2]) const {
    const auto* words = static_cast<const unsigned*>(in_.bias_V);
    const int first = tile * (kColumns / 2) + static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const unsigned* word = words + min(first + i * kWarp, plan_.columns / 2 - 1);
      asm volatile("ld.global.nc.b32 %0, [%1];" : "=r"(out[i]) : "l"(word));
    }
  }
  __device__ static void add_bias(const unsigned (&bias)[2], float (&sums)[kSums]) {
#pragma unroll
    for (int j = 0; j < kSums / 4; ++j) {
      const int lane = j % 8 * 4 + static_cast<int>(threadIdx.x) % 4;
      const unsigned pair = __shfl_sync(0xFFFFFFFFU, bias[j / 8], lane);
      const float low = __uint_as_float(pair << 16);
      const float high = __uint_as_float(pair & 0xFFFF0000U);
      sums[4 * j] += low;
      sums[4 * j + 1] += high;
      sums[4 * j + 2] += low;
      sums[4 * j + 3] += high;
    }
  }
  /// Columns that fill up the last tile.
  __device__ void drop_columns(int first_column, float (&sums)[kSums]) const {
#pragma unroll
    for (int i = 0; i < kSums; ++i) {
      if (first_column + i / 4 * 8 >= plan_.columns) sums[i] = kNoLogit;
    }
  }

  /// The logits of a tile. The bias is fetched beside the products and added at the end: a load
  /// that they waited for would stand in both warpgroups' way.
  __device__ void multiply(const typename Stream::Rows& hidden, int tile, float (&sums)[kSums]) {
    unsigned bias[2] = {};
    if (in_.bias_V != nullptr) load_bias(tile, bias);
    stream_.multiply(hidden, sums);
    if (in_.bias_V != nullptr) add_bias(bias, sums);
  }

  const HeadConsumer& in_;
  const Plan& plan_;
  const CUtensorMap& logits_map_;
  Stream stream_;
  const Stage stage_;
};

template <int kChunks, bool kStores>
__global__ void __cluster_dims__(kBlocks, 1, 1) __launch_bounds__(kThreads, 1)
    head_kernel(const __grid_constant__ Maps maps, const __grid_constant__ HeadConsumer in,
                const __grid_constant__ Plan plan) {
  extern __shared__ char shared[];
  const StreamMemory<kStores> memory(shared);
  if (threadIdx.x == 0) {
    prefetch_map(maps.hidden);
    prefetch_map(maps.weight);
    if (kStores) prefetch_map(maps.logits);
    memory.init();
  }
  cluster_sync();
  if (threadIdx.x < kWarpgroup) {
    give_registers<24>();
    if (threadIdx.x == 0) fetch<WeightRows::kColumns>(maps.hidden, maps.weight, plan, memory.ring);
    __syncwarp();
  } else {
    take_registers<240>();
    Group<kChunks, kStores>(in, plan, maps.logits, memory).consume();
  }
  // A block's memory is written and its barriers are used by its peer until both are done.
  cluster_sync();
}

constexpr int kCombineThreads = 256;

/// A warp for each row.
__global__ void __launch_bounds__(kCombineThreads)
    combine_kernel(const __grid_constant__ HeadConsumer in, const __grid_constant__ Plan plan) {
  const int lane = threadIdx.x % kWarp;
  const int row = static_cast<int>(blockIdx.x) * (kCombineThreads / kWarp) + threadIdx.x / kWarp;
  if (row >= plan.rows) return;
  const int pair = row / kPairRows;
  const int first = plan.owner(pair * plan.tiles);
  const int last = plan.owner(pair * plan.tiles + plan.tiles - 1);
  RowState state;
  state.best = INT_MAX;
  for (int cluster = first + lane; cluster <= last; cluster += kWarp) {
    state.merge(RowState::saved(partial_of(in, cluster + pair, row)));
  }
#pragma unroll
  for (int bit = kWarp / 2; bit > 0; bit /= 2) state.merge_lane(bit);
  if (lane != 0) return;
  const float lse = state.largest + logf(state.sum);
  if (in.nll_T != nullptr) {
    const bool has_target = in.target_T != nullptr && in.target_T[row] >= 0;
    in.nll_T[row] = has_target ? lse - state.at_target : 0.0F;
  }
  if (in.lse_T != nullptr) in.lse_T[row] = lse;
  if (in.total_T != nullptr) in.total_T[row] = state.total;
  if (in.max_T != nullptr) in.max_T[row] = state.best_logit;
  if (in.argmax_T != nullptr) in.argmax_T[row] = state.best;
}

template <bool kStores>
void launch(const Maps& maps, const HeadConsumer& in, const Plan& plan, cudaStream_t stream) {
  with_chunks(plan.chunks, [&](auto chunks) {
    const auto kernel = head_kernel<decltype(chunks)::value, kStores>;
    constexpr int kBytes = StreamMemory<kStores>::kBytes;
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
    kernel<<<plan.blocks(), kThreads, kBytes, stream>>>(maps, in, plan);
  });
}

}  // namespace

bool has_head_consumer(std::int64_t classes, std::int64_t width) {
  return can_stream(classes, width);
}

std::int64_t head_consumer_partial_floats(std::int64_t rows, std::int64_t classes) {
  const Plan plan(rows, classes, 0);
  return std::int64_t{plan.clusters + plan.pairs - 1} * kPairRows * RowState::kFloats;
}

bool consume_head(const HeadConsumer& head, cudaStream_t stream) {
  if (!has_head_consumer(head.classes, head.width)) return false;
  HeadConsumer in = head;
  if (in.num_ids == 0) in.num_ids = in.classes;
  Maps maps{};
  if (!encode_map({in.hidden_TM, in.rows, in.width, in.width}, kGroupRows, maps.hidden) ||
      !encode_map({in.weight_VM, in.classes, in.width, in.width}, kWeightBoxRows, maps.weight)) {
    return false;
  }
  const Plan plan(in.rows, in.classes, in.width);
  if (in.logits_TV == nullptr) {
    launch<false>(maps, in, plan, stream);
  } else {
    if (!encode_map({in.logits_TV, in.rows, in.classes, in.classes}, kGroupRows, maps.logits)) {
      return false;
    }
    launch<true>(maps, in, plan, stream);
  }
  combine_kernel<<<static_cast<unsigned>(divide_up(in.rows, kCombineThreads / kWarp)),
                   kCombineThreads, 0, stream>>>(in, plan);
  return true;
}

}  // namespace linformer
