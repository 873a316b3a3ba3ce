// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace linformer {

/// Scaled dot-product attention of long packed sequences, without a pad: queries of sequence b are
/// rows query_start_B1[b] up to [b + 1], its keys and values likewise. Head h is columns 64 h to
/// 64 (h + 1) of a row. bfloat16 arrays on the device, 16-byte aligned rows; products in bfloat16
/// with float32 sums, softmax in float32. Queries of a sequence without keys get 0. Keys and values
/// must be finite in all S rows: a tile may hold rows of the next sequence, with weights of 0.
struct LongAttention {
  const void* query_TM;
  const void* key_SM;
  const void* value_SM;
  std::int64_t query_stride;  // elements from one row to the next
  std::int64_t key_value_stride;
  const std::int32_t* query_start_B1;
  const std::int32_t* key_start_B1;
  void* out_TM;       // rows of 64 H
  float* lse_HT;      // natural log of the softmax's denominator; infinity without keys; or null
  float* partial;     // long_attention_partial_floats of them; null where that is 0
  std::int64_t rows;  // T
  std::int64_t key_rows;  // S
  std::int64_t batch;
  std::int64_t heads;
  std::int64_t max_queries;    // of a sequence; an upper bound
  bool causal;                 // query n sees keys 0..n of its sequence
  int variant = kBestVariant;  // of the kernel: below long_attention_variants()

  static constexpr int kBestVariant = -1;  // for these sequences
};

/// Kernels that do the same in other ways; which is best depends on the sequences.
int long_attention_variants();
const char* long_attention_variant_name(int variant);

/// Whether attend_long has a kernel for the current device (compute capability 9.0) and heads.
bool has_long_attention(std::int64_t head_width);

/// Of the others' values only `partial` need not be known.
std::int64_t long_attention_partial_floats(const LongAttention& in);

/// False, and nothing is done, where there is no kernel. The same bits every time.
bool attend_long(const LongAttention& in, cudaStream_t stream);

}  // namespace linformer
