// SPDX-License-Identifier: Apache-2.0
#include "ops/cpu_allocator.h"

#include "base/block_cache.h"
#include "ops/torch.h"

namespace linformer {
namespace {

// Never destroyed: tensors in static objects may outlive anything that is.
BlockCache& cache() {
  static BlockCache& cache = *new BlockCache;
  return cache;
}

void give_back(void* data) { cache().give_back(data); }

struct CachedAllocator : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &give_back, at::kCPU};
    void* const data = cache().take(bytes);
    return {data, data, &give_back, at::kCPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

}  // namespace

void use_cached_cpu_memory() {
  static const bool done = [] {
    c10::SetCPUAllocator(new CachedAllocator);  // takes ownership
    return true;
  }();
  static_cast<void>(done);
}

void release_cached_cpu_memory() { cache().release(); }

}  // namespace linformer
