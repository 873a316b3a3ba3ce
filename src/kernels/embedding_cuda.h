// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
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

/// Ids in rising order, each with its row; rows of one id in their order.
struct SortedIds {
  std::int32_t* id_T;
  std::int32_t* row_T;
};
/// Sorts ids below `entries`; `numbers_T` and `storage` (of sort_ids_bytes) are room to work in.
void sort_ids(const std::int32_t* id_T, std::int32_t* numbers_T, std::int64_t rows,
              std::int64_t entries, const SortedIds& out, void* storage, std::size_t bytes,
              cudaStream_t stream);
std::size_t sort_ids_bytes(std::int64_t rows, std::int64_t entries);

/// The gradient of the weight: scale times the sum of the rows of each id, in a fixed order, and 0
/// elsewhere.
struct EmbeddingBackward {
  const void* gradient_TM;
  SortedIds sorted;
  void* weight_gradient_VM;
  std::int64_t rows;
  std::int64_t width;
  std::int64_t entries;  // V
  float scale;
};
void embedding_backward(const EmbeddingBackward& in, cudaStream_t stream);

}  // namespace linformer
