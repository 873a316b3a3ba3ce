// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace linformer {

/// Makes CPU tensors take their memory from a BlockCache, for the rest of the process; calls after
/// the first do nothing. A request that cannot be met throws std::bad_alloc.
void use_cached_cpu_memory();

/// Gives the memory of freed CPU tensors back to the system.
void release_cached_cpu_memory();

}  // namespace linformer
