// SPDX-License-Identifier: Apache-2.0
// Two blocks of a cluster own 256 rows of `hidden` and stream the weight's rows past them. Each of
// the four warpgroups that multiply keeps its 64 rows in registers for the whole stream, so that
// shared memory holds nothing but the weight, which is fetched once for all four (each block copies
// one half to both). The two warpgroups of a block take turns: while one multiplies, the other
// folds its 64 x 128 logits into the rows' running maximum, sum, argmax and target. Work is counted
// in tiles of 256 x 128 logits and dealt evenly to the clusters: one may take the end of a row pair
// and the beginning of the next. What a cluster has of a row goes to `partial`, where a second
// kernel puts it together.
#include <algorithm>
#include <climits>
#include <utility>

#include "kernels/head_consumer_hopper.h"
#include "kernels/head_rows.cuh"
#include "kernels/hopper_map.cuh"
#include "kernels/hopper_ring.cuh"

namespace linformer {
namespace {

using namespace hopper;

constexpr int kBlocks = 2;      // of a cluster
constexpr int kGroups = 2;      // that multiply, in a block
constexpr int kGroupRows = 64;  // of hidden
constexpr int kBlockRows = kGroups * kGroupRows;
constexpr int kPairRows = kBlocks * kBlockRows;
constexpr int kColumns = 128;                     // logits of a tile
constexpr int kHalfColumns = kColumns / kBlocks;  // what one block copies
constexpr int kSlotBytes = kColumns * kAtomColumns * 2;
constexpr int kThreads = (kGroups + 1) * kWarpgroup;
constexpr int kLogitsBoxBytes = kGroupRows * kAtomColumns * 2;
constexpr int kMaxChunks = 8;  // of 64 columns of hidden
constexpr int kSums = 64;
// Of a column that does not exist: far below any logit, and finite when multiplied.
constexpr float kNoLogit = -1e30F;

/// Shared memory: the weight's tiles and, where logits are stored, a tile of them for each
/// warpgroup.
template <bool kStores>
struct Shared {
  using Ring = TileRing<kStores ? 12 : 14, kSlotBytes>;
  static constexpr int kLogitsBytes = kStores ? kColumns / kAtomColumns * kLogitsBoxBytes : 0;
  static constexpr int kBytes =
      Ring::kTileBytes + kGroups * kLogitsBytes + Ring::kBarrierBytes + kAtomBytes;

  Ring ring;
  unsigned logits;

  __device__ explicit Shared(const void* memory) {
    const unsigned tiles = aligned_tiles(memory);
    logits = tiles + Ring::kTileBytes;
    ring = {tiles, logits + kGroups * kLogitsBytes};
  }
};

struct Maps {
  CUtensorMap weight;
  CUtensorMap logits;  // where they are stored
};

Plan plan_of(std::int64_t rows, std::int64_t classes, std::int64_t width) {
  Plan out{};
  out.rows = static_cast<int>(rows);
  out.classes = out.ids = static_cast<int>(classes);
  out.chunks = static_cast<int>(width / kAtomColumns);
  out.pairs = static_cast<int>(divide_up(rows, kPairRows));
  out.tiles = static_cast<int>(divide_up(classes, kColumns));
  const int all = out.pairs * out.tiles;
  out.clusters = std::min(std::max(multiprocessors() / kBlocks, 1), all);
  out.share = all / out.clusters;
  out.greater = all % out.clusters;
  return out;
}

/// One thread fetches this block's half of the weight's tiles, for both blocks.
template <typename Ring>
__device__ void produce(const CUtensorMap& weight, const Plan& plan, const Ring& ring) {
  const unsigned rank = cluster_rank();
  typename Ring::Place place;
  for_each_pair(plan, blockIdx.x / kBlocks, [&](int, int first, int last) {
    for (int tile = first; tile < last; ++tile) {
#pragma unroll 1  // few registers
      for (int chunk = 0; chunk < plan.chunks; ++chunk) {
        ring.await_empty(place);
        copy_box_to(ring.slot(place.slot) + rank * (kSlotBytes / kBlocks), weight,
                    chunk * kAtomColumns, tile * kColumns + rank * kHalfColumns,
                    ring.full(place.slot), (1 << kBlocks) - 1);
        place.advance();
      }
    }
  });
}

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
                   const Shared<kStores>& shared)
      : in_(in),
        plan_(plan),
        logits_map_(logits_map),
        ring_(shared.ring),
        index_(threadIdx.x / kWarpgroup - 1),
        logits_(shared.logits + index_ * Shared<kStores>::kLogitsBytes) {}

  __device__ void consume() {
    if (index_ == 1) named_arrive(turn(0), kTurnThreads);
    for_each_pair(plan_, blockIdx.x / kBlocks, [&](int pair, int first, int last) {
      const int block_row = pair * kPairRows + static_cast<int>(cluster_rank()) * kBlockRows;
      if (block_row + index_ * kGroupRows >= plan_.rows) {
        skip((last - first) * kChunks);
      } else {
        consume_pair(pair, block_row, first, last);
      }
    });
    if (index_ == 0) named_wait(turn(0), kTurnThreads);
    if (kStores && threadIdx.x % kWarpgroup == 0) copies_out_wait();
  }

 private:
  using Ring = typename Shared<kStores>::Ring;
  static constexpr int kTurnThreads = kGroups * kWarpgroup;
  static constexpr int kSteps = kChunks * kAtomColumns / kStepColumns;

  __device__ static int turn(int group) { return group + 1; }

  /// There are no rows for this warpgroup.
  __device__ void skip(int slots) {
    for (int i = 0; i < slots; ++i) {
      ring_.await_full(place_);
      ring_.release_to_both(place_.slot);
      place_.advance();
    }
  }

  __device__ void consume_pair(int pair, int block_row, int first, int last) {
    const int lane = threadIdx.x % kWarp;
    const int row =
        block_row + index_ * kGroupRows + threadIdx.x % kWarpgroup / kWarp * 16 + lane / 4;
    // Alone in its block, it need not wait.
    const bool takes_turns = block_row + kGroupRows < plan_.rows;
    unsigned hidden[kSteps][4];
    load_hidden(row, lane, hidden);
    RowState upper;
    RowState lower;
    const int upper_target = target_of(row);
    const int lower_target = target_of(row + 8);
    for (int tile = first; tile < last; ++tile) {
      const int first_column = tile * kColumns + lane % 4 * 2;
      float sums[kSums];
      multiply(hidden, takes_turns, tile, sums);
      const RowLogits<0, kStores> upper_logits(sums, first_column);
      const RowLogits<1, kStores> lower_logits(sums, first_column);
      if constexpr (kStores) {
        store(block_row + index_ * kGroupRows, tile, sums);
        upper.total += upper_logits.total(plan_.classes);
        lower.total += lower_logits.total(plan_.classes);
      }
      if (first_column + kColumns > plan_.classes) drop_columns(first_column, sums);
      const bool some_ids = (tile + 1) * kColumns > plan_.ids;
      upper_logits.fold(upper_target, some_ids, plan_.ids, upper);
      lower_logits.fold(lower_target, some_ids, plan_.ids, lower);
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

  /// The warpgroup's logits of a tile, by bulk copies from its part of shared memory.
  __device__ void store(int group_row, int tile, const float (&sums)[kSums]) const {
    const int thread = threadIdx.x % kWarpgroup;
    const int lane = thread % kWarp;
    const int row = thread / kWarp * 16 + lane % 16;
    const int together = kGroups + 1 + index_;  // a named barrier
    if (thread == 0) copies_out_wait_read();
    named_wait(together, kWarpgroup);
#pragma unroll
    for (int j = 0; j < kSums / 4; j += 2) {
      const unsigned words[4] = {
          packed(sums[4 * j], sums[4 * j + 1]), packed(sums[4 * j + 2], sums[4 * j + 3]),
          packed(sums[4 * j + 4], sums[4 * j + 5]), packed(sums[4 * j + 6], sums[4 * j + 7])};
      const int vector = j % 8 + lane / 16;  // of 8 columns, in a row of 128 bytes
      store_matrices(logits_ + j / 8 * kLogitsBoxBytes + row * 128 + (vector ^ row % 8) * 16,
                     words);
    }
    shared_written();
    named_wait(together, kWarpgroup);
    if (thread != 0) return;
#pragma unroll
    for (int box = 0; box < kColumns / kAtomColumns; ++box) {
      copy_box_out(logits_map_, tile * kColumns + box * kAtomColumns, group_row,
                   logits_ + box * kLogitsBoxBytes);
    }
    copies_out_commit();
  }

  /// Rows `row` and 8 below as left operands; of rows that do not exist, the last one again.
  __device__ void load_hidden(int row, int lane, unsigned (&out)[kSteps][4]) const {
    constexpr int kWords = kChunks * kAtomColumns / 2;  // of a row, of two elements
    const int end = plan_.rows - 1;
    const auto* words = static_cast<const unsigned*>(in_.hidden_TM) + lane % 4;
    const unsigned* upper = words + std::int64_t{min(row, end)} * kWords;
    const unsigned* lower = words + std::int64_t{min(row + 8, end)} * kWords;
#pragma unroll
    for (int i = 0; i < kSteps; ++i) {
      out[i][0] = __ldg(upper + i * 8);
      out[i][1] = __ldg(lower + i * 8);
      out[i][2] = __ldg(upper + i * 8 + 4);
      out[i][3] = __ldg(lower + i * 8 + 4);
    }
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
      const unsigned* word = words + min(first + i * kWarp, plan_.classes / 2 - 1);
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
      if (first_column + i / 4 * 8 >= plan_.classes) sums[i] = kNoLogit;
    }
  }

  /// The logits of a tile, products with the next kChunks slots. The other's turn begins as soon as
  /// the last are issued. The bias is fetched beside them and added at the end: a load that the
  /// products waited for would stand in both warpgroups' way.
  __device__ void multiply(const unsigned (&hidden)[kSteps][4], bool takes_turns, int tile,
                           float (&sums)[kSums]) {
    unsigned bias[2] = {};
    if (in_.bias_V != nullptr) load_bias(tile, bias);
    unsigned previous = 0;
#pragma unroll
    for (float& sum : sums) sum = 0;
    pin(sums);  // ready before the turn begins
    if (takes_turns) named_wait(turn(index_), kTurnThreads);
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      ring_.await_full(place_);
      const std::uint64_t weight = operand(ring_.slot(place_.slot));
      products_fence();
#pragma unroll
      for (int i = 0; i < 4; ++i) multiply_128<true>(sums, hidden[chunk * 4 + i], weight + 2 * i);
      products_commit();
      if (chunk == kChunks - 1 && takes_turns) named_arrive(turn(1 - index_), kTurnThreads);
      if (chunk > 0) {
        products_wait<1>();
        ring_.release_to_both(previous);
      }
      previous = place_.slot;
      place_.advance();
    }
    products_wait<0>();
    pin(sums);
    ring_.release_to_both(previous);
    if (in_.bias_V != nullptr) add_bias(bias, sums);
  }

  const HeadConsumer& in_;
  const Plan& plan_;
  const CUtensorMap& logits_map_;
  const Ring& ring_;
  const int index_;
  const unsigned logits_;  // in shared memory
  typename Ring::Place place_;
};

template <int kChunks, bool kStores>
__global__ void __cluster_dims__(kBlocks, 1, 1) __launch_bounds__(kThreads, 1)
    head_kernel(const __grid_constant__ Maps maps, const __grid_constant__ HeadConsumer in,
                const __grid_constant__ Plan plan) {
  extern __shared__ char memory[];
  const Shared<kStores> shared(memory);
  if (threadIdx.x == 0) {
    prefetch_map(maps.weight);
    if (kStores) prefetch_map(maps.logits);
    shared.ring.init(kBlocks * kGroups);
    barrier_init_done();
  }
  cluster_sync();
  if (threadIdx.x < kWarpgroup) {
    give_registers<24>();
    if (threadIdx.x == 0) produce(maps.weight, plan, shared.ring);
    __syncwarp();
  } else {
    take_registers<240>();
    Group<kChunks, kStores>(in, plan, maps.logits, shared).consume();
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

template <int kChunks>
void launch(const Maps& maps, const HeadConsumer& in, const Plan& plan, cudaStream_t stream) {
  const auto start = [&](auto kernel, int bytes) {
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    kernel<<<static_cast<unsigned>(plan.clusters * kBlocks), kThreads, bytes, stream>>>(maps, in,
                                                                                        plan);
  };
  if (in.logits_TV != nullptr) {
    start(head_kernel<kChunks, true>, Shared<true>::kBytes);
  } else {
    start(head_kernel<kChunks, false>, Shared<false>::kBytes);
  }
}

}  // namespace

bool has_head_consumer(std::int64_t classes, std::int64_t width) {
  return hopper::is_hopper() && classes >= 8 && classes % 8 == 0 && width >= kAtomColumns &&
         width % kAtomColumns == 0 && width <= kMaxChunks * kAtomColumns;
}

std::int64_t head_consumer_partial_floats(std::int64_t rows, std::int64_t classes) {
  const Plan plan = plan_of(rows, classes, 0);
  return std::int64_t{plan.clusters + plan.pairs - 1} * kPairRows * RowState::kFloats;
}

bool consume_head(const HeadConsumer& in, cudaStream_t stream) {
  if (!has_head_consumer(in.classes, in.width)) return false;
  Maps maps{};
  if (!encode_map({in.weight_VM, in.classes, in.width, in.width}, kHalfColumns, maps.weight)) {
    return false;
  }
  if (in.logits_TV != nullptr &&
      !encode_map({in.logits_TV, in.rows, in.classes, in.classes}, kGroupRows, maps.logits)) {
    return false;
  }
  Plan plan = plan_of(in.rows, in.classes, in.width);
  if (in.num_ids > 0) plan.ids = static_cast<int>(in.num_ids);
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) {
    ((in.width == (kIndex + 1) * kAtomColumns ? launch<kIndex + 1>(maps, in, plan, stream)
                                              : void()),
     ...);
  }
  (std::make_integer_sequence<int, kMaxChunks>());
  combine_kernel<<<static_cast<unsigned>(divide_up(in.rows, kCombineThreads / kWarp)),
                   kCombineThreads, 0, stream>>>(in, plan);
  return true;
}

}  // namespace linformer
