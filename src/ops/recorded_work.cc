// SPDX-License-Identifier: Apache-2.0
#include "ops/recorded_work.h"

#include <utility>

#include "ops/device.h"

namespace linformer {

RecordedWork::RecordedWork(at::Device device, std::function<at::Tensor()> work)
    : work_(std::move(work)) {
  const Accelerator* accelerator = accelerator_of(device);
  if (accelerator == nullptr) return;
  work_();
  synchronize(device);
  graph_ = accelerator->make_graph(nullptr);
  graph_->capture([this] { result_ = work_(); });
}

at::Tensor RecordedWork::run() {
  if (graph_ == nullptr) return work_();
  graph_->replay();
  return result_;
}

}  // namespace linformer
