// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace linformer {

constexpr int kAttentionTile = 64;  // rows of a task

/// What a block of attention works on: a tile of 64 rows of one sequence.
struct AttentionTask {
  std::int32_t query_start, queries, key_start, keys;
  std::int32_t tile;  // of the queries' tiles, behind them the keys'; -1: nothing is left
  std::int32_t unused[3];
};

/// The tasks of attention between packed sequences: those of long ones first, so that they do not
/// end last. Made once for all layers and both directions.
struct AttentionPlan {
  const std::int32_t* query_start_B1;
  const std::int32_t* key_start_B1;
  std::int64_t batch;
  AttentionTask* forward_P;  // attention_tasks(rows of queries, 0, batch)
  std::int64_t forward_tasks;
  AttentionTask* backward_P;  // attention_tasks(rows of queries, rows of keys, batch)
  std::int64_t backward_tasks;
};
/// As many as such sequences can have.
std::int64_t attention_tasks(std::int64_t rows, std::int64_t key_rows, std::int64_t batch);
void plan_attention(const AttentionPlan& plan, cudaStream_t stream);

}  // namespace linformer
