// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "ops/accelerator.h"

namespace linformer {

/// Work on tensors of fixed shapes that is done again and again, as the forward pass of one batch
/// shape. On a GPU with an accelerator it is recorded as one graph and a run starts that; elsewhere
/// a run calls it. What it reads must stay where it is: new inputs are copied over the old.
class RecordedWork {
 public:
  /// On a GPU `work` runs once, plainly, for what libraries set up, and is then recorded: the
  /// memory that a run needs is in use from here on, and peak_memory has seen it. The current
  /// stream must be one of the thread's own (Accelerator::use_own_stream).
  RecordedWork(at::Device device, std::function<at::Tensor()> work);

  /// The result; on a GPU the next run overwrites it.
  at::Tensor run();
  bool is_recorded() const { return graph_ != nullptr; }

 private:
  std::function<at::Tensor()> work_;
  std::unique_ptr<DeviceGraph> graph_;
  at::Tensor result_;
};

}  // namespace linformer
