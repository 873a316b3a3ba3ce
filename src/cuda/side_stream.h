// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda/device_tensors.h"
#include "kernels/embedding_cuda.h"
#include "kernels/layer_norm_cuda.h"
#include "kernels/length_projection_cuda.h"
#include "kernels/short_attention_cuda.h"
#include "ops/accelerator.h"

namespace linformer {

/// A plan and the tensor that holds its tasks.
struct PlannedAttention {
  AttentionPlan plan;
  at::Tensor tasks;
};

inline PlannedAttention plan(const AcceleratedAttention& in) {
  const std::int64_t batch = in.query_start_B1.size(0) - 1;
  const std::int64_t rows = in.query_TM.size(0);
  const std::int64_t forward = attention_tasks(rows, 0, batch);
  const std::int64_t backward = attention_tasks(rows, in.key_SM.size(0), batch);
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(AttentionTask));
  const at::Tensor tasks =
      at::empty({(forward + backward) * kSize}, in.query_TM.options().dtype(at::kByte));
  auto* const first = static_cast<AttentionTask*>(tasks.mutable_data_ptr());
  const AttentionPlan out{.query_start_B1 = integers_of(in.query_start_B1),
                          .key_start_B1 = integers_of(in.key_start_B1),
                          .batch = batch,
                          .forward_P = first,
                          .forward_tasks = forward,
                          .backward_P = first + forward,
                          .backward_tasks = backward};
  plan_attention(out, stream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return {out, tasks};
}

/// Sorted ids and what holds them.
struct SortedTokens {
  SortedIds sorted;
  at::Tensor numbers_3T;
  at::Tensor storage;
};

inline SortedTokens sort_tokens(const at::Tensor& ids_T, std::int64_t entries) {
  const std::int64_t rows = ids_T.size(0);
  const std::size_t bytes = sort_ids_bytes(rows, entries);
  SortedTokens out{
      .sorted = {},
      .numbers_3T = at::empty({3, rows}, ids_T.options()),
      .storage = at::empty({static_cast<std::int64_t>(bytes)}, ids_T.options().dtype(at::kByte))};
  auto* const numbers = static_cast<std::int32_t*>(out.numbers_3T.mutable_data_ptr());
  out.sorted = {.id_T = numbers, .row_T = numbers + rows};
  sort_ids(integers_of(ids_T), numbers + 2 * rows, rows, entries, out.sorted,
           out.storage.mutable_data_ptr(), bytes, stream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return out;
}

/// The second stream of training, what its work still reads, sums that all layers leave to the end
/// of the pass, and what they derive from the starts of the same sequences.
struct SideStream {
  explicit SideStream(const c10::cuda::CUDAStream& stream) : stream(stream) {}

  c10::cuda::CUDAStream stream;
  std::vector<at::Tensor> kept;
  std::vector<LayerNormBackward> norms;
  std::vector<LengthProjectionBackward> projections;
  struct Sorting {
    SortedTokens tokens;
    at::cuda::CUDAEvent is_done;
  };
  std::map<const void*, Sorting> sortings;
  std::map<std::pair<const void*, const void*>, PlannedAttention> plans;
  std::map<std::tuple<const void*, std::int64_t, bool>, at::Tensor> slot_starts;

  /// Keeps the memory of what take_sums will write. Not the tensors: autograd copies a gradient
  /// that somebody else holds, and would do so before it is there.
  void keep_results(const std::vector<at::Tensor>& results) {
    for (const at::Tensor& result : results) kept.push_back(result.detach());
  }

  /// The sums that are left, on this stream, of what `main` was given before.
  void take_sums(const c10::cuda::CUDAStream& main) {
    if (norms.empty() && projections.empty()) return;
    order(main, stream);
    const c10::cuda::CUDAStreamGuard guard(stream);
    layer_norm_parameter_gradients(norms, stream);
    project_length_weight_gradients(projections, stream);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    norms.clear();
    projections.clear();
  }

  /// What `later` is given from now on starts after all that `earlier` was given.
  static void order(const c10::cuda::CUDAStream& earlier, const c10::cuda::CUDAStream& later) {
    at::cuda::CUDAEvent event;
    event.record(earlier);
    event.block(later);
  }
};

}  // namespace linformer
