// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda/device_tensors.h"
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

/// The second stream of training, what its work still reads, and what all layers of the pass derive
/// from the starts of the same sequences.
struct SideStream {
  c10::cuda::CUDAStream stream;
  std::vector<at::Tensor> kept;
  std::map<std::pair<const void*, const void*>, PlannedAttention> plans;
  std::map<std::tuple<const void*, std::int64_t, bool>, at::Tensor> slot_starts;

  /// What `later` is given from now on starts after all that `earlier` was given.
  static void order(const c10::cuda::CUDAStream& earlier, const c10::cuda::CUDAStream& later) {
    at::cuda::CUDAEvent event;
    event.record(earlier);
    event.block(later);
  }
};

}  // namespace linformer
