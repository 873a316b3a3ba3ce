// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "ops/torch.h"

namespace linformer {

/// Bytes that this process can still take on `device`: of a CPU what the system calls available, or
/// less where a control group allows less; of a GPU its free memory and what the allocator holds
/// unused.
std::int64_t available_memory(at::Device device);

}  // namespace linformer
