// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <utility>

namespace linformer {

constexpr int kWarp = 32;
constexpr float kLog2E = 1.4426950408889634F;

/// 2^x by the unit for such functions.
__device__ inline float exp2_fast(float x) {
  float out;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
  return out;
}

/// Eight bfloat16, moved as one 16-byte access: as pairs the compiler would move them one by one.
struct Vector8 {
  uint4 bits;
};

__device__ inline void widen(const Vector8& in, float (&out)[8]) {
  const unsigned words[4] = {in.bits.x, in.bits.y, in.bits.z, in.bits.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {  // a bfloat16 is the upper half of a float
    out[2 * i] = __uint_as_float(words[i] << 16);
    out[2 * i + 1] = __uint_as_float(words[i] & 0xFFFF0000U);
  }
}

/// Two floats as a pair of bfloat16, the first in the lower half.
__device__ inline unsigned packed(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const unsigned*>(&pair);
}

__device__ inline Vector8 narrow(const float (&in)[8]) {
  return {{packed(in[0], in[1]), packed(in[2], in[3]), packed(in[4], in[5]), packed(in[6], in[7])}};
}

__device__ inline float warp_sum(float value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value += __shfl_xor_sync(0xFFFFFFFFU, value, offset);
  }
  return value;
}

__device__ inline float warp_max(float value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, offset));
  }
  return value;
}

/// Over four neighbouring lanes, which share a row of a product's result.
__device__ inline float quad_max(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, 2));
}
__device__ inline float quad_sum(float value) {
  value += __shfl_xor_sync(0xFFFFFFFFU, value, 1);
  return value + __shfl_xor_sync(0xFFFFFFFFU, value, 2);
}

/// The sum over a block of at most 1,024 threads, in every thread; the same order every time.
__device__ inline float block_sum(float value, float* shared_32) {
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  value = warp_sum(value);
  __syncthreads();
  if (lane == 0) shared_32[warp] = value;
  __syncthreads();
  const int warps = (blockDim.x + kWarp - 1) / kWarp;
  return warp_sum(lane < warps ? shared_32[lane] : 0.0F);
}

/// Whether a block of the current device may have so much dynamic shared memory.
inline bool has_shared_memory(std::size_t bytes) {
  int device = 0;
  int most = 0;
  return cudaGetDevice(&device) == cudaSuccess &&
         cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) ==
             cudaSuccess &&
         bytes <= static_cast<std::size_t>(most);
}

/// Whether the current device lets a kernel begin before the one before it has ended.
inline bool can_launch_early() {
  int device = 0;
  int major = 0;
  return cudaGetDevice(&device) == cudaSuccess &&
         cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
         major >= 9;
}

/// How launch_early starts a kernel.
struct Launch {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes;
  cudaStream_t stream;
};

/// From Hopper on, the kernel's blocks may take their places while the work before them on the
/// stream ends: its first statement is await_previous().
template <typename... Parameters, typename... Arguments>
void launch_early(void (*kernel)(Parameters...), const Launch& launch, Arguments&&... arguments) {
  cudaLaunchAttribute early{};
  early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  early.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = launch.grid;
  config.blockDim = launch.block;
  config.dynamicSmemBytes = launch.shared_bytes;
  config.stream = launch.stream;
  config.attrs = &early;
  config.numAttrs = can_launch_early() ? 1 : 0;
  cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...);
}

/// Until the work before this kernel is done and can be seen; what follows may take its place.
__device__ inline void await_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

inline std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace linformer
