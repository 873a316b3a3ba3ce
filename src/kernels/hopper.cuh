// SPDX-License-Identifier: Apache-2.0
// What kernels for Hopper (sm_90a) alone are made of: barriers in shared memory, bulk tensor
// copies, products of warpgroups. Sources that include this are compiled for sm_90a and nothing
// else. PTX ISA: sections on mbarrier, cp.async.bulk.tensor, wgmma, setmaxnreg.
#pragma once

#include <cuda.h>

#include <cstdint>

#include "kernels/tensor_tile.cuh"

namespace linformer::hopper {

constexpr int kWarpgroup = 128;
constexpr int kAtomRows = 8;      // of 128 bytes, the unit of the 128-byte swizzle
constexpr int kAtomBytes = 1024;  // tiles start at multiples of it
constexpr int kAtomColumns = 64;  // bfloat16 in 128 bytes
constexpr int kStepColumns = 16;  // of one wgmma

// Clusters.

__device__ inline unsigned cluster_rank() {
  unsigned out;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(out));
  return out;
}

/// Every thread of every block of the cluster; orders shared memory, the peers' too.
__device__ inline void cluster_sync() {
  asm volatile(
      "barrier.cluster.arrive.release.aligned;\n"
      "barrier.cluster.wait.acquire.aligned;" ::
          : "memory");
}

// Barriers in shared memory, by their addresses there. A wait names the parity of the phase that
// has to be over: 0 for the first.

__device__ inline void barrier_init(unsigned barrier, unsigned arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

/// Makes initialised barriers visible to peers and to copies; cluster_sync or __syncthreads
/// follows.
__device__ inline void barrier_init_done() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Arrives at the same barrier of the cluster's block `rank`, if so told; lanes do not diverge.
__device__ inline void barrier_arrive_at(unsigned barrier, unsigned rank, bool arrives) {
  asm volatile(
      "{\n"
      ".reg .pred arrives;\n"
      ".reg .b32 remote;\n"
      "setp.ne.u32 arrives, %2, 0;\n"
      "mapa.shared::cluster.u32 remote, %0, %1;\n"
      "@arrives mbarrier.arrive.shared::cluster.b64 _, [remote];\n"
      "}" ::"r"(barrier),
      "r"(rank), "r"(static_cast<unsigned>(arrives))
      : "memory");
}

/// Arrives and lets the phase wait for so many bytes of copies.
__device__ inline void barrier_expect(unsigned barrier, unsigned bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}

__device__ inline void barrier_wait(unsigned barrier, unsigned parity) {
  asm volatile(
      "{\n"
      ".reg .pred is_over;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 is_over, [%0], %1;\n"
      "@is_over bra over;\n"
      "bra again;\n"
      "over:\n"
      "}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

/// Slots of a ring, each with a phase that changes when the ring has gone round.
template <int kSlots>
struct RingPlace {
  unsigned slot = 0;
  unsigned phase = 0;

  __device__ void advance() {
    if (++slot == kSlots) {
      slot = 0;
      phase ^= 1;
    }
  }
};

// Turns between warpgroups: named barriers, 0 of which is __syncthreads.

__device__ inline void named_wait(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
__device__ inline void named_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

template <int kRegisters>
__device__ inline void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ inline void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

// Bulk tensor copies into shared memory: a box of the map from `column` of `row` on, whose bytes
// count for `barrier`. What lies outside the tensor arrives as zeros and counts too.

__device__ inline void prefetch_map(const CUtensorMap& map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

__device__ inline void copy_box(unsigned to, const CUtensorMap& map, int column, int row,
                                unsigned barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4}], [%2];" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(column), "r"(row)
      : "memory");
}

/// To the same place in every block of the cluster whose bit is in `ranks`, and its barrier there.
__device__ inline void copy_box_to(unsigned to, const CUtensorMap& map, int column, int row,
                                   unsigned barrier, std::uint16_t ranks) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
      ".multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(column), "r"(row), "h"(ranks)
      : "memory");
}

// Bulk tensor copies out of shared memory; what lies outside the tensor is left out. They belong to
// the thread that begins them.

__device__ inline void copy_box_out(const CUtensorMap& map, int column, int row, unsigned from) {
  asm volatile(
      "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(&map),
      "r"(from), "r"(column), "r"(row)
      : "memory");
}
__device__ inline void copies_out_commit() {
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
/// Until shared memory may be written again.
__device__ inline void copies_out_wait_read() {
  asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
}
__device__ inline void copies_out_wait() {
  asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
}
/// What this thread has written to shared memory is seen by copies that begin after a barrier.
__device__ inline void shared_written() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Four 8 x 8 bfloat16 matrices, as products of a warpgroup hold them, to shared memory: lane i has
/// the address of row i % 8 of matrix i / 8.
__device__ inline void store_matrices(unsigned address, const unsigned (&in)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
               "r"(in[0]), "r"(in[1]), "r"(in[2]), "r"(in[3])
               : "memory");
}

// Products of a warpgroup, D += A B: 64 rows, bfloat16 with float32 sums. Thread t of it holds of D
// rows 16 (t / 32) + t % 32 / 4 and 8 below; d[4 j], d[4 j + 1] are columns 8 j + 2 (t % 4) and the
// next of the upper row, d[4 j + 2], d[4 j + 3] those of the lower.

/// Before the first product, and after registers of a product were written.
__device__ inline void products_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void products_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Until at most so many committed groups are under way.
template <int kGroups>
__device__ inline void products_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kGroups) : "memory");
}
/// No use of the sums moves across this.
template <int kCount>
__device__ inline void pin(float (&sums)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(sums[i])::"memory");
}

/// The largest of a thread's sums of its upper row (half 0) or its lower one. In several chains:
/// one of them would wait for itself.
template <int kCount>
__device__ inline float row_max(const float (&sums)[kCount], int half) {
  constexpr int kChains = 4;
  float largest[kChains];
#pragma unroll
  for (int i = 0; i < kCount / 2; ++i) {
    const float sum = sums[i / 2 * 4 + 2 * half + i % 2];
    largest[i % kChains] = i < kChains ? sum : fmaxf(largest[i % kChains], sum);
  }
  return fmaxf(fmaxf(largest[0], largest[1]), fmaxf(largest[2], largest[3]));
}

/// 16 x 16 bfloat16 in shared memory as a left operand: lane i has the address of row i % 16, of
/// columns 0 to 7 or, from lane 16 on, of 8 to 15.
__device__ inline void load_matrix(unsigned address, unsigned (&out)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(address)
               : "memory");
}

/// Descriptor of an operand in shared memory: rows of 64 bfloat16 in 128-byte swizzle, groups of 8
/// rows 1,024 bytes apart. `address` is a multiple of 1,024, plus 32 bytes for every 16 columns
/// (or, where the rows are summed over, 2,048 for every 16 rows). From 64 columns to the next 64,
/// where a product reads them: `next_columns` bytes.
__device__ inline std::uint64_t operand(unsigned address, unsigned next_columns = kAtomBytes) {
  constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62;
  constexpr std::uint64_t kGroupStride = std::uint64_t{kAtomBytes >> 4} << 32;
  const std::uint64_t columns_stride = std::uint64_t{next_columns >> 4} << 16;
  return kSwizzle128 | kGroupStride | columns_stride | ((address & 0x3FFFF) >> 4);
}

#define LF_SUMS_8(d, i)                                                                       \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), \
      "+f"(d[i + 6]), "+f"(d[i + 7])
#define LF_SUMS_32(d, i) \
  LF_SUMS_8(d, i), LF_SUMS_8(d, i + 8), LF_SUMS_8(d, i + 16), LF_SUMS_8(d, i + 24)
#define LF_PLACES_32                                                       \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define LF_PLACES_64                                                                   \
  LF_PLACES_32                                                                         \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"

/// 128 columns; A in registers (64 x 16: as the left operand of mma.m16n8k16 in each warp), B in
/// shared memory with rows that are the columns of D. Unless kAdds, without what D was.
template <bool kAdds>
__device__ inline void multiply_128(float (&d)[64], const unsigned (&a)[4], std::uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" LF_PLACES_64
               "}, {%64, %65, %66, %67}, %68, %69, 1, 1, 0;"
               : LF_SUMS_32(d, 0), LF_SUMS_32(d, 32)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "n"(kAdds ? 1 : 0));
}

/// Added to D, with B's rows summed over: two blocks of 64 columns.
__device__ inline void multiply_128_summed(float (&d)[64], const unsigned (&a)[4],
                                           std::uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" LF_PLACES_64
               "}, {%64, %65, %66, %67}, %68, 1, 1, 1, 1;"
               : LF_SUMS_32(d, 0), LF_SUMS_32(d, 32)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

/// The same as multiply_128 with A in shared memory.
template <bool kAdds>
__device__ inline void multiply_128(float (&d)[64], std::uint64_t a, std::uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" LF_PLACES_64
               "}, %64, %65, %66, 1, 1, 0, 0;"
               : LF_SUMS_32(d, 0), LF_SUMS_32(d, 32)
               : "l"(a), "l"(b), "n"(kAdds ? 1 : 0));
}

/// 64 columns; A in registers, B in shared memory with rows that are summed over. Unless `adds`,
/// without what D was.
__device__ inline void multiply_64(float (&d)[32], const unsigned (&a)[4], std::uint64_t b,
                                   bool adds) {
  asm volatile(
      "{\n"
      ".reg .pred adds;\n"
      "setp.ne.u32 adds, %37, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" LF_PLACES_32
      "}, {%32, %33, %34, %35}, %36, adds, 1, 1, 1;\n"
      "}"
      : LF_SUMS_32(d, 0)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<unsigned>(adds)));
}

}  // namespace linformer::hopper
