// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/torch_cuda.h"
#include "ops/accelerator.h"

namespace linformer {

class CudaGraph final : public DeviceGraph {
 public:
  explicit CudaGraph(at::MempoolId_t pool) : pool_(pool) {}

  void capture(const std::function<void()>& work) override {
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
  at::MempoolId_t pool_;
  at::cuda::CUDAGraph graph_;
};

}  // namespace linformer
