// SPDX-License-Identifier: Apache-2.0
// Tiles of bfloat16 in shared memory and their products by the tensor cores (mma.m16n8k16), for
// blocks of four warps (kTileThreads) or more.
#pragma once

#include "kernels/cuda_support.cuh"

namespace linformer {

constexpr int kTileThreads = 128;
constexpr int kTile = 64;

__device__ inline unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

struct Fragment {
  unsigned r[4];
};

__device__ inline Fragment load_matrix(const __nv_bfloat16* row) {
  Fragment out;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out.r[0]), "=r"(out.r[1]), "=r"(out.r[2]), "=r"(out.r[3])
               : "r"(shared_address(row)));
  return out;
}

__device__ inline Fragment load_transposed(const __nv_bfloat16* row) {
  Fragment out;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out.r[0]), "=r"(out.r[1]), "=r"(out.r[2]), "=r"(out.r[3])
               : "r"(shared_address(row)));
  return out;
}

__device__ inline void multiply(float (&c)[4], const Fragment& a, unsigned b0, unsigned b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b0), "r"(b1));
}

/// Two neighbouring 16 x 8 results as the left operand of a product over their 16 columns.
__device__ inline Fragment as_left(const float (&first)[4], const float (&second)[4]) {
  return {{packed(first[0], first[1]), packed(first[2], first[3]), packed(second[0], second[1]),
           packed(second[2], second[3])}};
}

/// Copies 16 bytes, or writes zeros there; arrives with wait_for_copies.
__device__ inline void copy_async(void* to, const void* from, bool is_real) {
  const int bytes = is_real ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(bytes));
}
__device__ inline void wait_for_copies() { asm volatile("cp.async.wait_all;" ::: "memory"); }

/// Ends a group of this thread's copies.
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Until at most so many of the groups are under way, the last ones.
template <int kGroups>
__device__ inline void wait_for_groups() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
}

/// A tile in shared memory; rows are padded so that ldmatrix meets no bank twice.
template <int kWidth, int kRows = kTile>
struct Tile {
  static constexpr int kStride = kWidth + 8;
  __nv_bfloat16 data[kRows * kStride];

  /// Rows first .. first + kRows - 1 of `base`, those from `count` on as zeros, by copies that a
  /// later wait_for_copies waits for.
  template <int kThreads = kTileThreads>
  __device__ void load_async(const void* base, std::int64_t stride, int first, int count) {
    constexpr int kVectors = kWidth / 8;
    const auto* from = static_cast<const __nv_bfloat16*>(base);
#pragma unroll
    for (int round = 0; round < kRows * kVectors / kThreads; ++round) {
      const int i = round * kThreads + threadIdx.x;
      const int row = i / kVectors;
      const int vector = i % kVectors;
      const bool is_real = first + row < count;
      copy_async(data + row * kStride + vector * 8,
                 is_real ? from + (first + row) * stride + vector * 8 : from, is_real);
    }
  }

  /// Puts a left operand of 16 x 16 at (row, column).
  __device__ void set(int row, int column, int lane, const Fragment& fragment) {
    __nv_bfloat16* to = data + (row + lane / 4) * kStride + column + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < 4; ++i) {  // 8 rows further, 8 columns further
      *reinterpret_cast<unsigned*>(to + i % 2 * 8 * kStride + i / 2 * 8) = fragment.r[i];
    }
  }

  /// 16 x 16 at (row, column) as a left operand.
  __device__ Fragment left(int row, int column, int lane) const {
    return load_matrix(data + (row + lane % 16) * kStride + column + lane / 16 * 8);
  }
  /// 16 x 16 of the transposed tile as a left operand: rows are the tile's columns from `column`,
  /// summed over its rows row .. row + 15.
  __device__ Fragment left_transposed(int row, int column, int lane) const {
    return load_transposed(data + (row + lane % 8 + lane / 16 * 8) * kStride + column +
                           lane / 8 % 2 * 8);
  }
  /// The right operand of a product with the transposed tile: columns are the tile's rows row ..
  /// row + 15, summed over its columns column .. column + 15.
  __device__ Fragment right_transposed(int row, int column, int lane) const {
    return load_matrix(data + (row + lane % 8 + lane / 16 * 8) * kStride + column +
                       lane / 8 % 2 * 8);
  }
  /// The right operand of a product with the tile: summed over its rows row .. row + 15.
  __device__ Fragment right(int row, int column, int lane) const {
    return load_transposed(data + (row + lane % 16) * kStride + column + lane / 16 * 8);
  }
};

template <int kWidth>
struct Sums {
  float values[kWidth / 8][4] = {};

  /// Adds left times 16 rows of a tile, from `row`, of its columns from `column`.
  template <int kTileWidth, int kTileRows>
  __device__ void add(const Fragment& left, const Tile<kTileWidth, kTileRows>& tile, int row,
                      int lane, int column = 0) {
#pragma unroll
    for (int i = 0; i < kWidth / 16; ++i) {
      const Fragment b = tile.right(row, column + i * 16, lane);
      multiply(values[2 * i], left, b.r[0], b.r[1]);
      multiply(values[2 * i + 1], left, b.r[2], b.r[3]);
    }
  }
  /// Writes rows first + lane / 4 and 8 below times their factors, below `count`.
  __device__ void store(void* base, std::int64_t stride, int first, int count, int lane,
                        float upper, float lower) const {
    const int row = first + lane / 4;
    auto* out = static_cast<__nv_bfloat16*>(base) + row * stride + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < kWidth / 8; ++i) {
      if (row < count) {
        *reinterpret_cast<unsigned*>(out + i * 8) =
            packed(values[i][0] * upper, values[i][1] * upper);
      }
      if (row + 8 < count) {
        *reinterpret_cast<unsigned*>(out + 8 * stride + i * 8) =
            packed(values[i][2] * lower, values[i][3] * lower);
      }
    }
  }
};

__device__ inline const void* at_row(const void* base, std::int64_t element) {
  return static_cast<const __nv_bfloat16*>(base) + element;
}
__device__ inline void* at_row(void* base, std::int64_t element) {
  return static_cast<__nv_bfloat16*>(base) + element;
}

}  // namespace linformer
