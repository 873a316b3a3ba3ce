// SPDX-License-Identifier: Apache-2.0
#include "ops/device.h"

#include <malloc.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "linformer/error.h"
#include "ops/accelerator.h"
#include "ops/cpu_allocator.h"

namespace linformer {
namespace {

std::int64_t num_gpus() {
  return at::hasCUDA() ? static_cast<std::int64_t>(at::detail::getCUDAHooks().getNumGPUs()) : 0;
}

std::string devices_present() {
  std::string out = "devices present: cpu";
  for (std::int64_t i = 0; i < num_gpus(); ++i) out += ", cuda:" + std::to_string(i);
  return out;
}

at::Device parse_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name == "auto") return num_gpus() > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  std::int64_t index = 0;
  bool is_known = name == "cuda";
  if (name.starts_with("cuda:")) {
    const char* end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + 5, end, index);
    is_known = error == std::errc() && rest == end && index >= 0;
  }
  if (!is_known) {
    throw UsageError("--device: unknown device (got " + name + ", want auto, cpu, cuda or cuda:I)");
  }
  if (index >= num_gpus()) {
    throw UsageError("--device: no such device (got " + name + "; " + devices_present() + ")");
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

/// bfloat16 products in hardware; elsewhere a CPU emulates them, many times slower than float32.
bool has_native_bfloat16(at::Device device) {
  if (device.is_cuda()) return at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8();
  return __builtin_cpu_supports("avx512bf16") != 0;
}

/// Value in bytes of a "Name:   123 kB" line of /proc/self/status.
std::int64_t status_bytes(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(field)) continue;
    const std::size_t digit = line.find_first_of("0123456789");
    std::int64_t kilobytes = 0;
    std::from_chars(line.data() + digit, line.data() + line.size(), kilobytes);
    return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

DeviceChoice choose_device(const std::string& device, const std::string& dtype,
                           std::int64_t threads) {
  DeviceChoice out;
  out.device = parse_device(device);
  use_cached_cpu_memory();
  const std::int64_t cores = std::max<std::int64_t>(1, std::thread::hardware_concurrency());
  at::set_num_threads(static_cast<int>(threads > 0 ? threads : cores));
  // cuDNN builds a plan for every new shape, and batches of real sentences hardly ever repeat one.
  at::globalContext().setSDPUseCuDNN(false);
  const bool native = has_native_bfloat16(out.device);
  std::string reason;
  if (dtype == "float32") {
    out.dtype = at::kFloat;
  } else if (dtype == "bfloat16") {
    out.dtype = at::kBFloat16;
    if (!native) reason = " (emulated: this device has no bfloat16 products)";
  } else if (dtype == "auto") {
    out.dtype = native ? at::kBFloat16 : at::kFloat;
    reason = native ? "" : " (no bfloat16 products here)";
  } else {
    throw UsageError("--dtype: unknown type (got " + dtype + ", want auto, float32 or bfloat16)");
  }
  out.description = out.device.str();
  if (out.device.is_cpu()) {
    out.description += ", " + std::to_string(at::get_num_threads()) + " threads";
  }
  if (const Accelerator* accelerator = accelerator_of(out.device)) {
    out.description += " (" + accelerator->device_name(out.device) + ")";
  }
  out.description += out.dtype == at::kFloat ? ", float32" : ", bfloat16";
  out.description += reason;
  return out;
}

void use_deterministic_algorithms() {
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  // cuBLAS reads it with its first handle; without, streams share workspaces and sums their order.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*replace=*/1);
}

at::DeviceAllocator& device_allocator(at::Device device) {
  at::globalContext().lazyInitDevice(device.type());
  return *at::getDeviceAllocator(device.type());
}

std::int64_t memory_in_use(at::Device device) {
  if (device.is_cpu()) return status_bytes("VmRSS");
  return device_allocator(device).getDeviceStats(device.index()).allocated_bytes[0].current;
}

UnusedMemory unused_memory(at::Device gpu) {
  at::DeviceAllocator& allocator = device_allocator(gpu);
  const auto statistics = allocator.getDeviceStats(gpu.index());
  return {.free = static_cast<std::int64_t>(allocator.getMemoryInfo(gpu.index()).first),
          .cached = statistics.reserved_bytes[0].current - statistics.allocated_bytes[0].current};
}

void release_cached_memory(at::Device device) {
  if (device.is_cpu()) {
    release_cached_cpu_memory();
    ::malloc_trim(0);
  } else {
    device_allocator(device).emptyCache();
  }
}

std::int64_t peak_memory(at::Device device) {
  if (device.is_cpu()) return status_bytes("VmHWM");
  return device_allocator(device).getDeviceStats(device.index()).allocated_bytes[0].peak;
}

void reset_peak_memory(at::Device device) {
  release_cached_memory(device);
  if (device.is_cpu()) {
    std::ofstream("/proc/self/clear_refs") << "5";  // the kernel's way to reset VmHWM
  } else {
    device_allocator(device).resetPeakStats(device.index());
  }
}

std::int64_t inference_batch_tokens(at::Device device) { return device.is_cpu() ? 4096 : 65536; }

void synchronize(at::Device device) {
  if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
}

double elapsed_ms(at::Device device, const std::function<void()>& work) {
  if (device.is_cpu()) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
  }
  const c10::Stream stream = c10::impl::VirtualGuardImpl(device.type()).getStream(device);
  c10::Event begin(device.type(), c10::EventFlag::BACKEND_DEFAULT);
  c10::Event end(device.type(), c10::EventFlag::BACKEND_DEFAULT);
  synchronize(device);
  begin.record(stream);
  work();
  end.record(stream);
  synchronize(device);
  return begin.elapsedTime(end);
}

}  // namespace linformer
