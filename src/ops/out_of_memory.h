// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "ops/torch.h"

namespace linformer {

/// Whether torch threw it because a CPU allocator had no memory: a plain c10::Error, unlike a
/// GPU's.
bool is_out_of_host_memory(const c10::Error& error);

/// Runs `work`; false where memory did not hold it, on the host or on the device.
bool runs_in_memory(const std::function<void()>& work);

}  // namespace linformer
