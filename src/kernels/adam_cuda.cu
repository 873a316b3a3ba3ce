// SPDX-License-Identifier: Apache-2.0
// The table of tensors travels as a kernel's argument, so that a captured graph holds it.
#include <algorithm>

#include "kernels/adam_cuda.h"
#include "kernels/cuda_support.cuh"

namespace linformer {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kChunk = 16384;  // elements of a block
constexpr int kTableSize = 192;         // tensors of a launch

struct Table {
  AdamTensor tensors[kTableSize];
  int first_chunk[kTableSize + 1];
  int count;
  int first_tensor;   // place of tensors[0] among all
  int chunks_before;  // of the launches before
};

__device__ float4 widen4(const __nv_bfloat16* from) {
  const uint2 bits = *reinterpret_cast<const uint2*>(from);
  const float2 low = __bfloat1622float2(*reinterpret_cast<const __nv_bfloat162*>(&bits.x));
  const float2 high = __bfloat1622float2(*reinterpret_cast<const __nv_bfloat162*>(&bits.y));
  return {low.x, low.y, high.x, high.y};
}

__device__ int tensor_of(const Table& table, int chunk) {
  int low = 0;
  int high = table.count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (table.first_chunk[middle] <= chunk ? low : high) = middle;
  }
  return low;
}

/// Calls vector(i) for every whole group of 4 elements of the chunk, and single(i) for what is left
/// at the tensor's end.
template <typename Vector, typename Single>
__device__ void for_chunk(const AdamTensor& tensor, int chunk, Vector&& vector, Single&& single) {
  const std::int64_t begin = chunk * kChunk;
  const std::int64_t end = min(tensor.size, begin + kChunk);
  const std::int64_t whole = begin + (end - begin) / 4 * 4;
#pragma unroll 2
  for (std::int64_t i = begin + threadIdx.x * 4; i < whole; i += kThreads * 4) vector(i);
  for (std::int64_t i = whole + threadIdx.x; i < end; i += kThreads) single(i);
}

__global__ void __launch_bounds__(kThreads)
    norm_kernel(const __grid_constant__ Table table, float* partials) {
  __shared__ float shared[kWarp];
  const int t = tensor_of(table, blockIdx.x);
  const AdamTensor& tensor = table.tensors[t];
  const auto* gradient = static_cast<const __nv_bfloat16*>(tensor.gradient);
  float sum = 0;
  if (gradient != nullptr) {
    for_chunk(
        tensor, blockIdx.x - table.first_chunk[t],
        [&](std::int64_t i) {
          const float4 g = widen4(gradient + i);
          sum += g.x * g.x + g.y * g.y + g.z * g.z + g.w * g.w;
        },
        [&](std::int64_t i) {
          const float g = __bfloat162float(gradient[i]);
          sum += g * g;
        });
  }
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) partials[table.chunks_before + blockIdx.x] = sum;
}

/// A block for each tensor adds up its chunks.
__global__ void tensor_norm_kernel(const __grid_constant__ Table table, const float* partials,
                                   float* norms) {
  __shared__ float shared[kWarp];
  const int t = blockIdx.x;
  float sum = 0;
  for (int c = table.first_chunk[t] + threadIdx.x; c < table.first_chunk[t + 1]; c += blockDim.x) {
    sum += partials[table.chunks_before + c];
  }
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) norms[table.first_tensor + t] = sqrtf(sum);
}

__global__ void decide_kernel(int tensors, AdamSettings settings, AdamScalars scalars) {
  __shared__ float shared[kWarp];
  float sum = 0;
  for (int t = threadIdx.x; t < tensors; t += blockDim.x) {
    sum += scalars.norms_P[t] * scalars.norms_P[t];
  }
  sum = block_sum(sum, shared);
  if (threadIdx.x != 0) return;
  const float norm = sqrtf(sum);
  *scalars.norm = norm;
  if (!isfinite(norm)) return;
  *scalars.steps += 1;
  const float steps = *scalars.steps;
  scalars.factors[0] =
      settings.gradient_clip > 0 ? fminf(1.0F, settings.gradient_clip / (norm + 1e-6F)) : 1.0F;
  scalars.factors[1] = 1.0F / (1.0F - powf(settings.beta1, steps));
  scalars.factors[2] = rsqrtf(1.0F - powf(settings.beta2, steps));
}

struct Update {
  float decay;            // of the weights, AdamW: 1 - lr * weight_decay
  float step_size;        // lr / (1 - beta1^t)
  float root_correction;  // 1 / sqrt(1 - beta2^t)
  float clip_factor;
  AdamSettings settings;

  __device__ void apply(float g, float& master, float& exp_avg, float& exp_avg_sq) const {
    g *= clip_factor;
    if (settings.is_decoupled) {
      master *= decay;
    } else if (settings.weight_decay != 0) {
      g += settings.weight_decay * master;
    }
    exp_avg += (1.0F - settings.beta1) * (g - exp_avg);
    exp_avg_sq = settings.beta2 * exp_avg_sq + (1.0F - settings.beta2) * g * g;
    master -= __fdividef(step_size * exp_avg,
                         __fsqrt_rn(exp_avg_sq) * root_correction + settings.epsilon);
  }
};

__global__ void __launch_bounds__(kThreads)
    update_kernel(const __grid_constant__ Table table, AdamSettings settings, AdamScalars scalars) {
  if (!isfinite(*scalars.norm)) return;
  const int t = tensor_of(table, blockIdx.x);
  const AdamTensor& tensor = table.tensors[t];
  const auto* gradient = static_cast<const __nv_bfloat16*>(tensor.gradient);
  const float rate = *scalars.learning_rate * tensor.lr_scale;
  const Update update{.decay = 1.0F - rate * settings.weight_decay,
                      .step_size = rate * scalars.factors[1],
                      .root_correction = scalars.factors[2],
                      .clip_factor = scalars.factors[0],
                      .settings = settings};
  for_chunk(
      tensor, blockIdx.x - table.first_chunk[t],
      [&](std::int64_t i) {
        const float4 zeros = {0, 0, 0, 0};
        float4 g = gradient == nullptr ? zeros : widen4(gradient + i);
        auto* masters = reinterpret_cast<float4*>(tensor.master + i);
        auto* firsts = reinterpret_cast<float4*>(tensor.exp_avg + i);
        auto* seconds = reinterpret_cast<float4*>(tensor.exp_avg_sq + i);
        float4 master = *masters;
        float4 first = *firsts;
        float4 second = *seconds;
        update.apply(g.x, master.x, first.x, second.x);
        update.apply(g.y, master.y, first.y, second.y);
        update.apply(g.z, master.z, first.z, second.z);
        update.apply(g.w, master.w, first.w, second.w);
        *masters = master;
        *firsts = first;
        *seconds = second;
        auto* shadow = static_cast<__nv_bfloat16*>(tensor.shadow) + i;
        reinterpret_cast<__nv_bfloat162*>(shadow)[0] = __floats2bfloat162_rn(master.x, master.y);
        reinterpret_cast<__nv_bfloat162*>(shadow)[1] = __floats2bfloat162_rn(master.z, master.w);
      },
      [&](std::int64_t i) {
        const float g = gradient == nullptr ? 0.0F : __bfloat162float(gradient[i]);
        update.apply(g, tensor.master[i], tensor.exp_avg[i], tensor.exp_avg_sq[i]);
        static_cast<__nv_bfloat16*>(tensor.shadow)[i] = __float2bfloat16(tensor.master[i]);
      });
}

/// Calls `launch` with a table for every kTableSize tensors.
template <typename Launch>
void for_tables(std::span<const AdamTensor> tensors, Launch&& launch) {
  int chunks = 0;
  for (std::size_t first = 0; first < tensors.size(); first += kTableSize) {
    const auto part =
        tensors.subspan(first, std::min<std::size_t>(kTableSize, tensors.size() - first));
    Table table;
    table.count = static_cast<int>(part.size());
    table.first_tensor = static_cast<int>(first);
    table.chunks_before = chunks;
    table.first_chunk[0] = 0;
    for (std::size_t t = 0; t < part.size(); ++t) {
      table.tensors[t] = part[t];
      table.first_chunk[t + 1] =
          table.first_chunk[t] + static_cast<int>(divide_up(part[t].size, kChunk));
    }
    chunks += table.first_chunk[table.count];
    launch(table, static_cast<unsigned>(table.first_chunk[table.count]));
  }
}

}  // namespace

std::int64_t adam_partial_floats(std::span<const AdamTensor> tensors) {
  std::int64_t chunks = 0;
  for (const AdamTensor& tensor : tensors) chunks += divide_up(tensor.size, kChunk);
  return chunks;
}

void adam_step(std::span<const AdamTensor> tensors, const AdamSettings& settings,
               const AdamScalars& scalars, cudaStream_t stream) {
  for_tables(tensors, [&](const Table& table, unsigned chunks) {
    norm_kernel<<<chunks, kThreads, 0, stream>>>(table, scalars.partials);
    tensor_norm_kernel<<<static_cast<unsigned>(table.count), kThreads, 0, stream>>>(
        table, scalars.partials, scalars.norms_P);
  });
  decide_kernel<<<1, kThreads, 0, stream>>>(static_cast<int>(tensors.size()), settings, scalars);
  for_tables(tensors, [&](const Table& table, unsigned chunks) {
    update_kernel<<<chunks, kThreads, 0, stream>>>(table, settings, scalars);
  });
}

}  // namespace linformer
