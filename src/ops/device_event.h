// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "ops/torch.h"

namespace linformer {

/// A place in what a device's current stream has been given; on a CPU it is always reached.
class DeviceEvent {
 public:
  /// After everything so far.
  void record(at::Device device);
  /// Returns when it is reached; at once where nothing was recorded.
  void wait();

 private:
  std::optional<c10::Event> event_;
};

/// Scalars on their way from a device: the copies start at once, and nobody waits before read().
class LateScalars {
 public:
  explicit LateScalars(const std::vector<at::Tensor>& scalars);
  /// The values, in their order. Waits for the device to reach the copies, not for what follows.
  std::vector<double> read();

 private:
  std::vector<at::Tensor> values_;
  DeviceEvent arrival_;
};

}  // namespace linformer
