// SPDX-License-Identifier: Apache-2.0
// Products of rows with a weight, for kernels that read them where they arise. Two blocks of a
// cluster own 256 rows and stream the weight past them. Each of the four warpgroups that multiply
// keeps its 64 rows in registers for the whole stream, so that shared memory holds little but the
// weight, which is fetched once for all four (each block copies one half to both). The two
// warpgroups of a block take turns: while one multiplies, the other reads its 64 x 128 products.
// Work is counted in tiles of 256 x 128 products and dealt evenly to the clusters: one may take the
// end of a row pair and the beginning of the next.
#pragma once

#include <algorithm>
#include <utility>

#include "kernels/hopper_map.cuh"
#include "kernels/hopper_ring.cuh"

namespace linformer::hopper {

constexpr int kBlocks = 2;      // of a cluster
constexpr int kGroups = 2;      // that multiply, in a block
constexpr int kGroupRows = 64;  // in registers
constexpr int kBlockRows = kGroups * kGroupRows;
constexpr int kPairRows = kBlocks * kBlockRows;
constexpr int kColumns = 128;                     // products of a row in a tile
constexpr int kHalfColumns = kColumns / kBlocks;  // what one block copies
constexpr int kSlotBytes = kColumns * kAtomColumns * 2;
constexpr int kHalfSlotBytes = kSlotBytes / kBlocks;
constexpr int kThreads = (kGroups + 1) * kWarpgroup;
constexpr int kMaxChunks = 8;  // of 64 elements of a row
constexpr int kSums = 64;
constexpr int kBoxBytes = kGroupRows * kAtomColumns * 2;
constexpr int kStageBytes = kColumns / kAtomColumns * kBoxBytes;
static_assert(kSlotBytes == kGroups * kBoxBytes);  // a slot holds 64 elements of a block's rows

/// The named barrier of a warpgroup of its own, and the one that its turn begins with.
__device__ inline int together(int group) { return kGroups + 1 + group; }
__device__ inline int turn(int group) { return 1 + group; }

/// How the tiles of all row pairs, one pair after the other, are dealt to the clusters.
struct Plan {
  int rows;
  int columns;
  int chunks;  // of 64 elements of a row
  int pairs;
  int tiles;  // of a pair
  int clusters;
  int share;    // tiles of a cluster;
  int greater;  // so many of the first ones have one more

  Plan(std::int64_t rows, std::int64_t columns, std::int64_t width)
      : rows(static_cast<int>(rows)),
        columns(static_cast<int>(columns)),
        chunks(static_cast<int>(width / kAtomColumns)),
        pairs(static_cast<int>(divide_up(rows, kPairRows))),
        tiles(static_cast<int>(divide_up(columns, kColumns))),
        clusters(std::min(std::max(multiprocessors() / kBlocks, 1), pairs * tiles)),
        share(pairs * tiles / clusters),
        greater(pairs * tiles % clusters) {}

  unsigned blocks() const { return static_cast<unsigned>(clusters * kBlocks); }
  __host__ __device__ int begin(int cluster) const {
    return cluster * share + (cluster < greater ? cluster : greater);
  }
  __device__ int owner(int tile) const {
    const int split = greater * (share + 1);
    return tile < split ? tile / (share + 1) : greater + (tile - split) / share;
  }
};

/// Calls f(pair, first tile, last tile + 1). The last pair comes first: then nearly all clusters
/// read the weight from its beginning, at the same time, and find it in the L2 cache.
template <typename Function>
__device__ void for_each_pair(const Plan& plan, const Function& f) {
  const int cluster = static_cast<int>(blockIdx.x) / kBlocks;
  const int begin = plan.begin(cluster);
  const int end = plan.begin(cluster + 1);
  for (int pair = (end - 1) / plan.tiles; (pair + 1) * plan.tiles > begin; --pair) {
    const int start = pair * plan.tiles;
    f(pair, max(begin - start, 0), min(end - start, plan.tiles));
  }
}

/// How a weight lies in memory: a row for each column of the products, or a row for each element
/// that is summed over. A map of it has boxes of kWeightBoxRows rows either way.
enum class WeightRows { kColumns, kSummed };
constexpr unsigned kWeightBoxRows = kHalfColumns;
static_assert(kHalfColumns == kAtomColumns);

/// Width and number of columns that there are kernels for: rows of a multiple of 64 elements, at
/// most 512; columns in vectors of 8.
inline bool can_stream(std::int64_t columns, std::int64_t width) {
  return is_hopper() && columns >= 8 && columns % 8 == 0 && width >= kAtomColumns &&
         width % kAtomColumns == 0 && width <= kMaxChunks * kAtomColumns;
}

/// A warpgroup's 64 x 64 bfloat16 in shared memory, in 128-byte swizzle: the lane's address of 16
/// columns from 8 j on, j even, for store_matrices and load_matrix, in its warp's 16 rows.
__device__ inline unsigned box_address(unsigned box, int j) {
  const int thread = static_cast<int>(threadIdx.x) % kWarpgroup;
  const int lane = thread % kWarp;
  const int row = thread / kWarp * 16 + lane % 16;
  const int vector = j + lane / 16;  // of 8 columns, in a row of 128 bytes
  return box + row * 128 + (vector ^ row % 8) * 16;
}

/// A warpgroup's 64 x 128 bfloat16 in shared memory, on their way in or out: two boxes of 64
/// columns. Each warp reads and writes its own 16 rows, once in a tile.
struct Stage {
  unsigned data;
  unsigned barrier;  // of what comes in
  int group;         // whose it is

  __device__ static bool is_first_thread() { return threadIdx.x % kWarpgroup == 0; }

  /// As box_address; j below 16.
  __device__ unsigned address(int j) const { return box_address(data + j / 8 * kBoxBytes, j % 8); }

  /// By the first thread, when what went out has been read.
  __device__ void copy_in(const CUtensorMap& map, int column, int row) const {
    copies_out_wait_read();
    barrier_expect(barrier, kStageBytes);
#pragma unroll
    for (int box = 0; box < kColumns / kAtomColumns; ++box) {
      copy_box(data + box * kBoxBytes, map, column + box * kAtomColumns, row, barrier);
    }
  }
  __device__ void await_copy_in(unsigned phase) const { barrier_wait(barrier, phase); }

  /// By all threads, before they write where nothing was copied in.
  __device__ void await_copy_out() const {
    if (is_first_thread()) copies_out_wait_read();
    named_wait(together(group), kWarpgroup);
  }
  /// By all threads, after they have written.
  __device__ void copy_out(const CUtensorMap& map, int column, int row) const {
    shared_written();
    named_wait(together(group), kWarpgroup);
    if (!is_first_thread()) return;
#pragma unroll
    for (int box = 0; box < kColumns / kAtomColumns; ++box) {
      copy_box_out(map, column + box * kAtomColumns, row, data + box * kBoxBytes);
    }
    copies_out_commit();
  }
};

/// Shared memory: the weight's tiles and, where products are stored, a stage of 64 x 128 for each
/// warpgroup, with a barrier.
template <bool kStages>
struct StreamMemory {
  using Ring = TileRing<kStages ? 12 : 14, kSlotBytes>;
  static constexpr int kStagesBytes = kStages ? kGroups * kStageBytes : 0;
  static constexpr int kBytes =
      Ring::kTileBytes + kStagesBytes + Ring::kBarrierBytes + kGroups * 8 + kAtomBytes;

  Ring ring;
  unsigned stages;

  __device__ explicit StreamMemory(const void* memory) {
    const unsigned tiles = aligned_tiles(memory);
    stages = tiles + Ring::kTileBytes;
    ring = {tiles, stages + kStagesBytes};
  }
  /// By one thread, before cluster_sync.
  __device__ void init() const {
    ring.init(kBlocks * kGroups);
    for (int group = 0; group < kGroups; ++group) barrier_init(stage(group).barrier, 1);
    barrier_init_done();
  }
  __device__ Stage stage(int group) const {
    return {.data = stages + group * kStageBytes,
            .barrier = ring.barriers + Ring::kBarrierBytes + group * 8,
            .group = group};
  }
};

/// By one thread: the block's rows of each pair, then its half of the weight's tiles, for both
/// blocks.
template <WeightRows kRows, typename Ring>
__device__ void fetch(const CUtensorMap& rows, const CUtensorMap& weight, const Plan& plan,
                      const Ring& ring) {
  const auto rank = static_cast<int>(cluster_rank());
  typename Ring::Place place;
  const auto for_each_chunk = [&](const auto& copy) {
#pragma unroll 1  // few registers
    for (int chunk = 0; chunk < plan.chunks; ++chunk) {
      ring.await_empty(place);
      copy(chunk * kAtomColumns, ring.slot(place.slot), ring.full(place.slot));
      place.advance();
    }
  };
  for_each_pair(plan, [&](int pair, int first, int last) {
    for_each_chunk([&](int element, unsigned slot, unsigned barrier) {
      for (int group = 0; group < kGroups; ++group) {
        copy_box(slot + group * kBoxBytes, rows, element,
                 pair * kPairRows + rank * kBlockRows + group * kGroupRows, barrier);
      }
    });
    for (int tile = first; tile < last; ++tile) {
      const int column = tile * kColumns + rank * kHalfColumns;
      for_each_chunk([&](int element, unsigned slot, unsigned barrier) {
        copy_box_to(slot + rank * kHalfSlotBytes, weight,
                    kRows == WeightRows::kColumns ? element : column,
                    kRows == WeightRows::kColumns ? column : element, barrier, (1 << kBlocks) - 1);
      });
    }
  });
}

/// What a warpgroup that multiplies does with its rows.
template <int kChunks, WeightRows kRows, typename Ring>
class RowStream {
 public:
  static constexpr int kSteps = kChunks * kAtomColumns / kStepColumns;
  /// 64 rows as left operands.
  using Rows = unsigned[kSteps][4];

  __device__ RowStream(const Plan& plan, const Ring& ring)
      : plan_(plan), ring_(ring), index_(static_cast<int>(threadIdx.x) / kWarpgroup - 1) {}

  /// 0 or 1, of the block's two.
  __device__ int index() const { return index_; }

  /// Calls f(pair, first row of the warpgroup, its rows, first tile, last tile + 1), which
  /// multiplies once for each tile, in their order.
  template <typename Function>
  __device__ void consume(const Function& f) {
    if (index_ == 1) named_arrive(turn(0), kTurnThreads);
    for_each_pair(plan_, [&](int pair, int first, int last) {
      const int block_row = pair * kPairRows + static_cast<int>(cluster_rank()) * kBlockRows;
      const int group_row = block_row + index_ * kGroupRows;
      if (group_row >= plan_.rows) {
        skip((1 + last - first) * kChunks);
        return;
      }
      // Alone in its block, it need not wait.
      takes_turns_ = block_row + kGroupRows < plan_.rows;
      Rows rows;
      load(rows);
      f(pair, group_row, rows, first, last);
    });
    if (index_ == 0) named_wait(turn(0), kTurnThreads);
  }

  /// Where the thread's upper row lies among the warpgroup's.
  __device__ static int upper_row() {
    return static_cast<int>(threadIdx.x) % kWarpgroup / kWarp * 16 +
           static_cast<int>(threadIdx.x) % kWarp / 4;
  }

  /// A tile: products with the next kChunks slots. The other's turn begins as soon as the last are
  /// issued.
  __device__ void multiply(const Rows& rows, float (&sums)[kSums]) {
    unsigned previous = 0;
#pragma unroll
    for (float& sum : sums) sum = 0;
    pin(sums);  // ready before the turn begins
    if (takes_turns_) named_wait(turn(index_), kTurnThreads);
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      ring_.await_full(place_);
      const std::uint64_t weight = kRows == WeightRows::kColumns
                                       ? operand(ring_.slot(place_.slot))
                                       : operand(ring_.slot(place_.slot), kHalfSlotBytes);
      products_fence();
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const unsigned(&left)[4] = rows[chunk * 4 + i];
        if constexpr (kRows == WeightRows::kColumns) {
          multiply_128<true>(sums, left, weight + i * (kStepColumns * 2 / 16));
        } else {
          multiply_128_summed(sums, left, weight + i * (kStepColumns * 128 / 16));
        }
      }
      products_commit();
      if (chunk == kChunks - 1 && takes_turns_) named_arrive(turn(1 - index_), kTurnThreads);
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
  }

 private:
  static constexpr int kTurnThreads = kGroups * kWarpgroup;

  /// There are no rows for this warpgroup.
  __device__ void skip(int slots) {
    for (int i = 0; i < slots; ++i) {
      ring_.await_full(place_);
      ring_.release_to_both(place_.slot);
      place_.advance();
    }
  }

  /// The warpgroup's rows from the next kChunks slots; those that do not exist are zeros.
  __device__ void load(Rows& out) {
    static_assert(Ring::kSlotCount >= kMaxChunks);
    const typename Ring::Place first = place_;
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      ring_.await_full(place_);
      const unsigned box = ring_.slot(place_.slot) + index_ * kBoxBytes;
#pragma unroll
      for (int i = 0; i < 4; ++i) load_matrix(box_address(box, 2 * i), out[chunk * 4 + i]);
      place_.advance();
    }
    named_wait(together(index_), kWarpgroup);
    typename Ring::Place read = first;
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      ring_.release_to_both(read.slot);
      read.advance();
    }
  }

  const Plan& plan_;
  const Ring& ring_;
  const int index_;
  bool takes_turns_ = false;
  typename Ring::Place place_;
};

/// The words of 16 columns from 8 j on, j even, of a tile's products, rounded: as store_matrices
/// wants them and load_matrix has them.
__device__ inline void words_of(const float (&sums)[kSums], int j, unsigned (&out)[4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) out[i] = packed(sums[4 * j + 2 * i], sums[4 * j + 2 * i + 1]);
}

/// Calls f, a generic function of std::integral_constant, with the number of chunks.
template <typename Function>
void with_chunks(int chunks, const Function& f) {
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) {
    ((chunks == kIndex + 1 ? f(std::integral_constant<int, kIndex + 1>()) : void()), ...);
  }
  (std::make_integer_sequence<int, kMaxChunks>());
}

}  // namespace linformer::hopper
