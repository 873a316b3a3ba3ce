// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace linformer {

/// A product with what a feed-forward layer does to it, bfloat16 with float32 sums: matrices on the
/// device, 16-byte aligned, rows without gaps.
struct FeedForwardProduct {
  const void* rows_TM;
  const void* weight;    // relu_product: [F, M]; masked_product: [M, F]
  const void* inner_TF;  // masked_product: what a ReLU gave
  void* out_TF;
  std::int64_t rows;     // T >= 1
  std::int64_t columns;  // F: a multiple of 8
  std::int64_t width;    // M: a multiple of 64, at most 512
};

/// max(0, rows weight^T). False, and nothing is done, where there is no kernel: on GPUs of another
/// compute capability than 9.0 and for other sizes. NaN stays NaN.
bool relu_product(const FeedForwardProduct& in, cudaStream_t stream);

/// rows weight where inner is above 0 (or NaN), else 0: the gradient of what the ReLU was given.
bool masked_product(const FeedForwardProduct& in, cudaStream_t stream);

}  // namespace linformer
