// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace linformer {

/// out[t] = scale * weight[id_t] + position[position_t]; bfloat16 arrays on the device, M a
/// multiple of 8. Both tables are read as they are: ids and positions must lie in them.
struct EmbeddingForward {
  const void* weight_VM;
  const void* position_PM;
  const std::int32_t* id_T;
  const std::int32_t* position_T;
  void* out_TM;
  std::int64_t rows;
  std::int64_t width;
  float scale;
};
void embedding_forward(const EmbeddingForward& in, cudaStream_t stream);

/// The gradient of the weight: scale times the sum of the rows of each id, in the order of t, and 0
/// elsewhere.
struct EmbeddingBackward {
  const void* gradient_TM;
  const std::int32_t* id_T;
  void* weight_gradient_VM;
  std::int64_t rows;
  std::int64_t width;
  std::int64_t entries;  // V
  float scale;
};
void embedding_backward(const EmbeddingBackward& in, cudaStream_t stream);

}  // namespace linformer
