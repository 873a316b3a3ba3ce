// SPDX-License-Identifier: Apache-2.0
#include "ops/device_event.h"

namespace linformer {

void DeviceEvent::record(at::Device device) {
  if (device.is_cpu()) return;
  if (!event_) event_.emplace(device.type());
  event_->record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
}

void DeviceEvent::wait() {
  if (event_) event_->synchronize();
}

LateScalars::LateScalars(const std::vector<at::Tensor>& scalars) {
  for (const at::Tensor& scalar : scalars) {
    if (scalar.is_cpu()) {
      values_.push_back(scalar.clone());
      continue;
    }
    const auto options = at::TensorOptions(scalar.scalar_type()).pinned_memory(true);
    values_.push_back(at::empty(scalar.sizes(), options).copy_(scalar, /*non_blocking=*/true));
    arrival_.record(scalar.device());
  }
}

std::vector<double> LateScalars::read() {
  arrival_.wait();
  std::vector<double> out;
  for (const at::Tensor& value : values_) out.push_back(value.item<double>());
  return out;
}

}  // namespace linformer
