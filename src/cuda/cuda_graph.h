// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/torch_cuda.h"
#include "ops/accelerator.h"
#include "ops/device.h"

namespace linformer {

class CudaGraph final : public DeviceGraph {
 public:
  explicit CudaGraph(at::MempoolId_t pool) : pool_(pool) {}

  void capture(const std::function<void()>& work) override {
    release_scarce_memory();
    graph_.capture_begin(pool_);
    try {
      work();
    } catch (...) {
      // The stream must leave the capture, or nothing can be saved.
      try {
        graph_.capture_end();
      } catch (const c10::Error&) {
      }
      throw;
    }
    graph_.capture_end();
  }
  void replay() override { graph_.replay(); }
  at::MempoolId_t pool() const { return pool_; }

 private:
  /// What a recording allocates is its own, and while it lasts the allocator gives none of its
  /// cache back. A run of the same work has gone before and is in the cache: where no more than
  /// that is free, it has to go first.
  static void release_scarce_memory() {
    const at::Device gpu(at::kCUDA, at::cuda::current_device());
    const UnusedMemory unused = unused_memory(gpu);
    if (unused.free < unused.cached) release_cached_memory(gpu);
  }

  at::MempoolId_t pool_;
  at::cuda::CUDAGraph graph_;
};

}  // namespace linformer
