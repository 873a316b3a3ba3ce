// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/hopper.cuh"

namespace linformer::hopper {

/// Slots for tiles in shared memory, each with a barrier that says it is full and one that says it
/// is empty. Who copies waits for empty(slot) with phase ^ 1 and lets full(slot) expect the bytes;
/// who reads waits for full(slot) with its phase and releases.
template <int kSlots, int kSlotBytes>
struct TileRing {
  static constexpr int kSlotCount = kSlots;
  static constexpr int kTileBytes = kSlots * kSlotBytes;
  static constexpr int kBarrierBytes = 2 * kSlots * 8;
  using Place = RingPlace<kSlots>;

  unsigned data;  // addresses in shared memory: a multiple of 1,024
  unsigned barriers;

  __device__ unsigned slot(unsigned i) const { return data + i * kSlotBytes; }
  __device__ unsigned full(unsigned i) const { return barriers + i * 8; }
  __device__ unsigned empty(unsigned i) const { return full(i + kSlots); }

  /// By one thread. `readers`: warpgroups that read a slot, the peers' among them where they copy
  /// to it.
  __device__ void init(unsigned readers) const {
    for (int i = 0; i < kSlots; ++i) {
      barrier_init(full(i), 1);
      barrier_init(empty(i), readers);
    }
  }
  /// For one thread: waits until slot and peers' slots are empty, then expects its bytes.
  __device__ void await_empty(const Place& place) const {
    barrier_wait(empty(place.slot), place.phase ^ 1);
    barrier_expect(full(place.slot), kSlotBytes);
  }
  __device__ void await_full(const Place& place) const {
    barrier_wait(full(place.slot), place.phase);
  }
  /// By all threads of a warpgroup that has read the slot.
  __device__ void release(unsigned i) const {
    barrier_arrive_at(empty(i), cluster_rank(), threadIdx.x % kWarpgroup == 0);
  }
  /// The same where both blocks of a cluster copy to both: two of the threads tell one each.
  __device__ void release_to_both(unsigned i) const {
    const unsigned thread = threadIdx.x % kWarpgroup;
    barrier_arrive_at(empty(i), thread / 64, thread % 64 == 0);
  }
};

/// Dynamic shared memory from its first multiple of 1,024 on; ask for 1,024 bytes more.
__device__ inline unsigned aligned_tiles(const void* shared) {
  return (shared_address(shared) + kAtomBytes - 1) / kAtomBytes * kAtomBytes;
}

}  // namespace linformer::hopper
