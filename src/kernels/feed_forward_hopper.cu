// SPDX-License-Identifier: Apache-2.0
// The products into a feed-forward layer's inner width, with the ReLU or its gradient applied to
// tiles that leave through shared memory. Where the gradient is, the layer's inner values are
// fetched into the stage that the products leave through, beside the products.
#include "kernels/feed_forward_hopper.h"
#include "kernels/row_stream.cuh"

namespace linformer {
namespace {

using namespace hopper;

struct Maps {
  CUtensorMap rows;
  CUtensorMap weight;
  CUtensorMap inner;
  CUtensorMap out;
};

template <bool kMasks>
constexpr WeightRows kWeightRows = kMasks ? WeightRows::kSummed : WeightRows::kColumns;

/// Of the words of two products those whose inner value, never negative, is not 0.
__device__ unsigned kept(unsigned products, unsigned inner) {
  const unsigned low = (inner & 0x7FFFU) != 0 ? 0xFFFFU : 0;
  const unsigned high = (inner & 0x7FFF0000U) != 0 ? 0xFFFF0000U : 0;
  return products & (low | high);
}

template <int kChunks, bool kMasks>
__device__ void consume(const Maps& maps, const Plan& plan, const StreamMemory<true>& memory) {
  RowStream<kChunks, kWeightRows<kMasks>, StreamMemory<true>::Ring> stream(plan, memory.ring);
  const Stage stage = memory.stage(stream.index());
  unsigned phase = 0;
  stream.consume([&](int, int row, const auto& rows, int first, int last) {
    for (int tile = first; tile < last; ++tile) {
      if (kMasks && Stage::is_first_thread()) {
        stage.copy_in(maps.inner, tile * kColumns, row);
      }
      __syncwarp();
      float sums[kSums];
      stream.multiply(rows, sums);
      if (kMasks) {
        stage.await_copy_in(phase);
        phase ^= 1;
      } else {
        stage.await_copy_out();
#pragma unroll
        for (float& sum : sums) sum = sum < 0 ? 0 : sum;
      }
#pragma unroll
      for (int j = 0; j < kColumns / 8; j += 2) {
        unsigned words[4];
        words_of(sums, j, words);
        if (kMasks) {
          unsigned inner[4];
          load_matrix(stage.address(j), inner);
#pragma unroll
          for (int i = 0; i < 4; ++i) words[i] = kept(words[i], inner[i]);
        }
        store_matrices(stage.address(j), words);
      }
      stage.copy_out(maps.out, tile * kColumns, row);
      __syncwarp();
    }
  });
  if (Stage::is_first_thread()) copies_out_wait();
}

template <int kChunks, bool kMasks>
__global__ void __cluster_dims__(kBlocks, 1, 1) __launch_bounds__(kThreads, 1)
    feed_forward_kernel(const __grid_constant__ Maps maps, const __grid_constant__ Plan plan) {
  extern __shared__ char shared[];
  const StreamMemory<true> memory(shared);
  if (threadIdx.x == 0) {
    prefetch_map(maps.rows);
    prefetch_map(maps.weight);
    prefetch_map(maps.out);
    if (kMasks) prefetch_map(maps.inner);
    memory.init();
  }
  cluster_sync();
  if (threadIdx.x < kWarpgroup) {
    give_registers<24>();
    if (threadIdx.x == 0) fetch<kWeightRows<kMasks>>(maps.rows, maps.weight, plan, memory.ring);
    __syncwarp();
  } else {
    take_registers<240>();
    consume<kChunks, kMasks>(maps, plan, memory);
  }
  // A block's memory is written and its barriers are used by its peer until both are done.
  cluster_sync();
}

template <bool kMasks>
bool launch(const FeedForwardProduct& in, cudaStream_t stream) {
  if (!can_stream(in.columns, in.width)) return false;
  Maps maps{};
  const MapOfRows weight = kMasks ? MapOfRows{in.weight, in.width, in.columns, in.columns}
                                  : MapOfRows{in.weight, in.columns, in.width, in.width};
  const auto stage_map = [&](const void* data, CUtensorMap& map) {
    return encode_map({data, in.rows, in.columns, in.columns}, kGroupRows, map);
  };
  if (!encode_map({in.rows_TM, in.rows, in.width, in.width}, kGroupRows, maps.rows) ||
      !encode_map(weight, kWeightBoxRows, maps.weight) || !stage_map(in.out_TF, maps.out) ||
      (kMasks && !stage_map(in.inner_TF, maps.inner))) {
    return false;
  }
  const Plan plan(in.rows, in.columns, in.width);
  with_chunks(plan.chunks, [&](auto chunks) {
    const auto kernel = feed_forward_kernel<decltype(chunks)::value, kMasks>;
    constexpr int kBytes = StreamMemory<true>::kBytes;
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
    kernel<<<plan.blocks(), kThreads, kBytes, stream>>>(maps, plan);
  });
  return true;
}

}  // namespace

bool relu_product(const FeedForwardProduct& in, cudaStream_t stream) {
  return launch<false>(in, stream);
}

bool masked_product(const FeedForwardProduct& in, cudaStream_t stream) {
  return launch<true>(in, stream);
}

}  // namespace linformer
