// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace linformer {

/// What readers want of the logits hidden W^T + bias, which need not be stored: bfloat16 arrays on
/// the device, products and everything after them in float32.
struct HeadConsumer {
  const void* hidden_TM;  // 16-byte aligned, rows without gaps, as all matrices here
  const void* weight_VM;
  const void* bias_V;            // null: none
  const std::int32_t* target_T;  // 0 <= target < V, or negative: a row without one; null: none
  // Results; each may be null. Either the logits and their totals or max and argmax.
  float* nll_T;               // lse - logit of the target; 0 without one
  float* lse_T;               // log of the sum of exp(logit)
  float* max_T;               // of the first num_ids classes
  std::int32_t* argmax_T;     // likewise; the lowest of equal ones
  void* logits_TV = nullptr;  // the logits after all, rounded
  float* total_T = nullptr;   // the sum of a row's logits
  float* partial;             // head_consumer_partial_floats of them
  std::int64_t rows;          // T >= 1
  std::int64_t classes;       // V: a multiple of 8
  std::int64_t width;         // M: a multiple of 64, at most 512
  std::int64_t num_ids = 0;   // the classes from here on are never chosen; 0: all may be
};

/// Whether consume_head has a kernel for the current device (compute capability 9.0) and the width
/// and number of classes.
bool has_head_consumer(std::int64_t classes, std::int64_t width);

std::int64_t head_consumer_partial_floats(std::int64_t rows, std::int64_t classes);

/// False, and nothing is done, where there is no kernel. The same bits every time on one kind of
/// GPU: no sum depends on the order of blocks.
bool consume_head(const HeadConsumer& in, cudaStream_t stream);

}  // namespace linformer
