// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ops/torch.h"

namespace linformer {

/// Where tensors live and which type layers compute in.
struct DeviceChoice {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
  std::string
      description;  // "cpu, 2 threads, float32 (this processor has no bfloat16 instructions)"
};

/// `device`: auto, cpu, cuda, cuda:I. `dtype`: auto, float32, bfloat16. auto takes a GPU when there
/// is one, and bfloat16 where the device computes in it (sm_80 and later; a CPU with AVX-512 BF16
/// or AMX). `threads`: 0 = one a core. Throws UsageError naming the devices present.
DeviceChoice choose_device(const std::string& device, const std::string& dtype,
                           std::int64_t threads);

/// From here on a GPU takes the deterministic kernel of each operation (one without throws), so
/// that the same operations give the same bits in every process. On a CPU they do for a given
/// number of threads. To be called before the first product on a GPU.
void use_deterministic_algorithms();

/// What hands out the memory of a GPU, also before anything else has used that.
at::DeviceAllocator& device_allocator(at::Device device);

/// Bytes in use by this process on `device`: resident memory of a CPU process, allocated memory of
/// a GPU.
std::int64_t memory_in_use(at::Device device);

/// Bytes of a GPU that are nobody's, and those that its allocator keeps although nothing is in
/// them.
struct UnusedMemory {
  std::int64_t free = 0;
  std::int64_t cached = 0;
};
UnusedMemory unused_memory(at::Device gpu);

/// Gives memory that is cached, nothing else, back to the system or the GPU's driver.
void release_cached_memory(at::Device device);

/// Tokens that a pass without gradients, or a search, takes at a time unless somebody says
/// otherwise: a step of a search costs a GPU about as much for a thousand sentences as for one.
std::int64_t inference_batch_tokens(at::Device device);

/// Waits until the device has done everything that was asked of it.
void synchronize(at::Device device);

/// Milliseconds that `work` takes: of a GPU by events around it on the current stream, of a CPU by
/// its clock. Returns when the work is done.
double elapsed_ms(at::Device device, const std::function<void()>& work);

/// Largest bytes in use since the last reset_peak_memory, on a CPU the peak resident set. Resetting
/// it releases cached memory first.
std::int64_t peak_memory(at::Device device);
void reset_peak_memory(at::Device device);

}  // namespace linformer
