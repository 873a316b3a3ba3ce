// SPDX-License-Identifier: Apache-2.0
#include "cli/hand_over.h"

#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

#include "base/file.h"
#include "base/signals.h"
#include "linformer/error.h"

namespace linformer {
namespace {

constexpr char kCpuEngine[] = "linformer-engine";
constexpr char kCudaEngine[] = "linformer-engine-cuda";
// LibTorch's file, which is mapped whole, and what starting it takes; stacks and heaps of a thread.
constexpr std::uint64_t kEngineBytes = std::uint64_t{768} << 20;
constexpr std::uint64_t kThreadBytes = std::uint64_t{32} << 20;

std::string own_directory() {
  char buffer[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", buffer, sizeof(buffer));
  if (length <= 0 || static_cast<std::size_t>(length) == sizeof(buffer)) return "";
  return parent_directory(std::string(buffer, static_cast<std::size_t>(length)));
}

bool is_executable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

int count_gpus() {
  // Virtual machines of Windows show one node for all its GPUs.
  if (::access("/dev/dxg", F_OK) == 0) return 1;
  int count = 0;
  for (int i = 0; i < 64; ++i) {
    if (::access(("/dev/nvidia" + std::to_string(i)).c_str(), F_OK) == 0) ++count;
  }
  return count;
}

std::string devices_present(int num_gpus) {
  std::string out = "cpu";
  for (int i = 0; i < num_gpus; ++i) out += ", cuda:" + std::to_string(i);
  return out;
}

/// Puts the libraries of LINFORMER_TORCH_DIR before those that the engine was linked with.
void prefer_torch_directory() {
  const char* torch = std::getenv("LINFORMER_TORCH_DIR");
  if (torch == nullptr || *torch == '\0') return;
  std::string path = std::string(torch) + "/lib";
  const char* present = std::getenv("LD_LIBRARY_PATH");
  if (present != nullptr && *present != '\0') path += ":" + std::string(present);
  ::setenv("LD_LIBRARY_PATH", path.c_str(), 1);
}

/// Where a limit of the virtual memory does not even hold LibTorch and its threads, their own start
/// aborts or hangs.
void require_address_space(std::int64_t threads) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const std::uint64_t count = threads > 0 ? static_cast<std::uint64_t>(threads)
                                          : std::max(1U, std::thread::hardware_concurrency());
  const std::uint64_t wanted = kEngineBytes + count * kThreadBytes;
  if (limit.rlim_cur >= wanted) return;
  throw OutOfMemoryError("the limit of virtual memory, ulimit -v, is too low for LibTorch with " +
                         std::to_string(count) + " threads (got " + std::to_string(limit.rlim_cur) +
                         " bytes, want at least " + std::to_string(wanted) + ")");
}

/// MKL asks for the working directory while it is loaded, and ends the process where there is none.
void require_working_directory() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::current_path(error);
  if (path.empty()) {
    throw UsageError("the working directory: " + error.message() + " (cd to one that exists)");
  }
}

}  // namespace

EnginePlace find_engines() {
  EnginePlace place;
  place.directory = own_directory();
  place.has_cpu_engine = is_executable(place.directory + "/" + kCpuEngine);
  place.has_cuda_engine = is_executable(place.directory + "/" + kCudaEngine);
  place.num_gpus = count_gpus();
  return place;
}

std::string choose_engine(const std::string& device, const EnginePlace& place) {
  const bool wants_cuda = device.starts_with("cuda");
  const int index = device.starts_with("cuda:") ? std::atoi(device.c_str() + 5) : 0;
  if (wants_cuda && index >= place.num_gpus) {
    throw UsageError("--device " + device +
                     ": no such GPU (devices present: " + devices_present(place.num_gpus) + ")");
  }
  const bool use_cuda =
      wants_cuda || (device == "auto" && place.has_cuda_engine && place.num_gpus > 0);
  if (use_cuda && place.has_cuda_engine) return place.directory + "/" + kCudaEngine;
  if (!use_cuda && place.has_cpu_engine) return place.directory + "/" + kCpuEngine;
  const std::string name = use_cuda ? kCudaEngine : kCpuEngine;
  throw UsageError(name + " is not beside this program in " + place.directory +
                   " (build it: ./build.sh " + (use_cuda ? "cuda" : "release") + ")");
}

void hand_over(const CommonOptions& common, char** argv) {
  const std::string engine = choose_engine(common.device, find_engines());
  require_working_directory();
  require_address_space(common.threads);
  prefer_torch_directory();
  // OpenMP's waiting threads spin for milliseconds by default: fatal where other programs share the
  // cores.
  if (std::getenv("OMP_WAIT_POLICY") == nullptr)
    ::setenv("GOMP_SPINCOUNT", "2000", /*overwrite=*/0);
  hold_signals();
  ::execv(engine.c_str(), argv);
  throw IoError(engine + ": cannot start: " + errno_text(errno));
}

}  // namespace linformer
