// SPDX-License-Identifier: Apache-2.0
// Two blocks of a cluster own some queries of a head and stream its keys and values past them, each
// copying one half of every tile to both. In a block warpgroups have 64 queries each. The products
// of a warpgroup run beside its exponentials of another tile, and those of its neighbours beside
// both; they may take turns at beginning products, so that they do not all wait for the same unit.
// The tiles of all tasks are one stream: the first scores of a task are under way while the last
// one's results are stored.
#include <algorithm>
#include <utility>

#include "kernels/hopper_map.cuh"
#include "kernels/long_attention_group.cuh"
#include "kernels/long_attention_hopper.h"

namespace linformer {
namespace {

using namespace hopper;

struct Maps {
  CUtensorMap queries;
  CUtensorMap keys;
  CUtensorMap values;
};

/// One thread fetches its block's queries, and its half of keys and values for both blocks.
template <int kVariant>
__device__ void produce(const Maps& maps, const Tasks& tasks, const Shared<kVariant>& shared) {
  using Sizes = Shared<kVariant>;
  const int rank = static_cast<int>(cluster_rank());
  typename Sizes::QueryRing::Place query;
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
  Task task;
  for (int round = 0; tasks.next(round, task);) {
    if (task.tiles == 0) continue;
    shared.queries.await_empty(query);
    for (int group = 0; group < Sizes::kGroups; ++group) {
      copy_box(shared.queries.slot(query.slot) + group * kBoxBytes, maps.queries,
               task.head * kWidth,
               task.query_start + task.first + rank * Sizes::kBlockQueries + group * kBoxRows,
               shared.queries.full(query.slot));
    }
    query.advance();
#pragma unroll 1
    for (int tile = 0; tile <= task.tiles; ++tile) {
      if (tile < task.tiles) copy_half(maps.keys, shared.keys, key, task, tile);
      if (tile > 0) copy_half(maps.values, shared.values, value, task, tile - 1);
    }
  }
}

template <int kVariant>
__global__ void __cluster_dims__(kBlocks, 1, 1) __launch_bounds__(Shared<kVariant>::kThreads, 1)
    attention_kernel(const __grid_constant__ Maps maps, const __grid_constant__ LongAttention in,
                     const __grid_constant__ Deal deal) {
  constexpr bool kIsSmall = Shared<kVariant>::kGroups == 3;
  extern __shared__ char memory[];
  const Shared<kVariant> shared(memory);
  if (threadIdx.x == 0) {
    prefetch_map(maps.queries);
    prefetch_map(maps.keys);
    prefetch_map(maps.values);
    shared.init();
  }
  cluster_sync();
  const Tasks tasks(in, deal);
  if (threadIdx.x < kWarpgroup) {
    give_registers<kIsSmall ? 32 : 40>();
    if (threadIdx.x == 0) produce<kVariant>(maps, tasks, shared);
    __syncwarp();
  } else {
    take_registers<kIsSmall ? 160 : 232>();
    Group<kVariant>(in, tasks, shared).consume();
  }
  // A block's memory is written and its barriers are used by its peer until both are done.
  cluster_sync();
}

constexpr int kCombineThreads = 256;

/// A warp for each row of the split tasks; a lane has two columns.
__global__ void __launch_bounds__(kCombineThreads)
    combine_kernel(const __grid_constant__ LongAttention in, const __grid_constant__ Deal deal) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int row = static_cast<int>(blockIdx.x) * (kCombineThreads / kWarp) +
                  static_cast<int>(threadIdx.x) / kWarp;
  const int split = row / deal.queries;
  if (split >= deal.tasks - deal.whole) return;
  const int task_row = row % deal.queries;
  const Task task = task_at(in, deal, deal.whole + split);
  if (task.first + task_row >= task.queries) return;
  const auto pairs_of = [&](int part) {
    const std::int64_t at = std::int64_t{split * deal.parts + part} * deal.queries + task_row;
    return reinterpret_cast<const float2*>(in.partial + at * kPartFloats);
  };
  float largest = -INFINITY;
  for (int i = 0; i < deal.parts; ++i) largest = fmaxf(largest, pairs_of(i)[kWidth / 2].x);
  float sum = 0;
  float2 out = {0, 0};
  for (int i = 0; i < deal.parts; ++i) {
    const float2 softmax = pairs_of(i)[kWidth / 2];
    const float2 sums = pairs_of(i)[lane];
    const float factor = exp2_fast((softmax.x - largest) * Softmax::kScale);
    sum += softmax.y * factor;
    out.x += sums.x * factor;
    out.y += sums.y * factor;
  }
  const bool has_keys = task.keys > 0;
  const float inverse = 1.0F / sum;
  const std::int64_t at = task.query_start + task.first + task_row;
  auto* words = reinterpret_cast<unsigned*>(static_cast<__nv_bfloat16*>(in.out_TM) +
                                            (at * in.heads + task.head) * kWidth);
  words[lane] = has_keys ? packed(out.x * inverse, out.y * inverse) : 0;
  if (lane == 0 && in.lse_HT != nullptr) {
    in.lse_HT[task.head * in.rows + at] =
        has_keys ? largest * rsqrtf(static_cast<float>(kWidth)) + logf(sum) : INFINITY;
  }
}

int most_clusters() { return std::max(multiprocessors() / kBlocks, 1); }

/// Three groups hide more of the softmax; two leave less of a short triangle, or of a short
/// sequence, unused.
int variant_of(const LongAttention& in) {
  constexpr std::int64_t kLongTriangle = 4096;
  constexpr std::int64_t kShort = 512;
  if (in.variant != LongAttention::kBestVariant) return in.variant;
  const bool is_short_triangle = in.causal && in.key_rows < kLongTriangle * in.batch;
  return is_short_triangle || in.max_queries <= kShort ? 1 : 0;
}

/// Whole tasks as long as all clusters have as many of them; those that are left over are split
/// where that is worth a second kernel.
Deal deal_of(const LongAttention& in) {
  constexpr std::int64_t kLongKeys = 4096;  // of a sequence
  constexpr int kMostParts = 8;
  const int queries = kBlocks * kVariants[variant_of(in)].groups * kGroupQueries;
  const auto lines = static_cast<int>(in.batch * in.heads);
  const int tasks = static_cast<int>(divide_up(in.max_queries, queries)) * lines;
  Deal out{queries, lines, tasks, tasks, 1};
  const int clusters = most_clusters();
  const int rest = tasks % clusters;
  if (in.causal || rest == 0 || in.key_rows < kLongKeys * in.batch) return out;
  const auto rounds = [&](int parts) {
    return static_cast<double>(divide_up(std::int64_t{rest} * parts, clusters)) / parts;
  };
  for (int parts = 2; parts <= kMostParts; ++parts) {
    if (rounds(parts) < rounds(out.parts)) out.parts = parts;
  }
  if (out.parts > 1) out.whole = tasks - rest;
  return out;
}

template <int kVariant>
void launch(const Maps& maps, const LongAttention& in, const Deal& deal, cudaStream_t stream) {
  using Sizes = Shared<kVariant>;
  cudaFuncSetAttribute(attention_kernel<kVariant>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                       Sizes::kBytes);
  const auto blocks = static_cast<unsigned>(std::min(most_clusters(), deal.count()) * kBlocks);
  attention_kernel<kVariant><<<blocks, Sizes::kThreads, Sizes::kBytes, stream>>>(maps, in, deal);
}

}  // namespace

int long_attention_variants() { return kVariantCount; }
const char* long_attention_variant_name(int variant) { return kVariants[variant].name; }

bool has_long_attention(std::int64_t head_width) {
  return head_width == kWidth && hopper::is_hopper();
}

std::int64_t long_attention_partial_floats(const LongAttention& in) {
  const Deal deal = deal_of(in);
  return std::int64_t{deal.tasks - deal.whole} * deal.parts * deal.queries * kPartFloats;
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
  const Deal deal = deal_of(in);
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) {
    ((variant_of(in) == kIndex ? launch<kIndex>(maps, in, deal, stream) : void()), ...);
  }
  (std::make_integer_sequence<int, kVariantCount>());
  if (deal.whole < deal.tasks) {
    const std::int64_t rows = std::int64_t{deal.tasks - deal.whole} * deal.queries;
    combine_kernel<<<static_cast<unsigned>(divide_up(rows, kCombineThreads / kWarp)),
                     kCombineThreads, 0, stream>>>(in, deal);
  }
  return true;
}

}  // namespace linformer
