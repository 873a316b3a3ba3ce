// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/attention.h"
#include "ops/packed_sequences.h"

namespace linformer {

// Shapes: T rows of queries, S rows of keys (packed_sequences.h), H heads, D head width.

/// Query tokens and the key tokens they attend to: sequence b of one to sequence b of the other.
struct PackedAttentionInputs {
  at::Tensor query_THD;
  at::Tensor key_SHD;
  at::Tensor value_SHD;
  const PackedSequences& queries;
  const PackedSequences& keys;
  bool causal =
      false;  // query n sees keys 0..n; only where queries and keys are the same sequences
  AttentionBackend backend = AttentionBackend::kAuto;
};

/// Whether attend_each is faster than attend over padded sequences: on a CPU where pads would cost
/// more than a call for each sequence. `width` is H * D.
bool prefers_attend_each(const PackedSequences& queries, const PackedSequences& keys,
                         std::int64_t width);

/// Scaled dot-product attention without pads: a call of `attend` for each sequence. float32,
/// bfloat16 or float64. Returns [T, H * D]. Differentiable in query, key and value. Throws
/// c10::Error when sizes disagree.
at::Tensor attend_each(const PackedAttentionInputs& inputs);

/// Where the sequences of packed queries and of their keys start (PackedSequences::start_B1), and
/// upper bounds of their lengths. Every row belongs to a sequence.
struct AttentionStarts {
  at::Tensor query_B1;  // int32
  at::Tensor key_B1;
  std::int64_t max_queries = 0;
  std::int64_t max_keys = 0;
};

// Attention without pads. On a GPU with an accelerator, in bfloat16, head width a multiple of 8 up
// to 256: by kernels of our own for sequences of up to 512 tokens and heads of 32 or 64, and on
// Hopper GPUs for longer ones, heads of 64 and no gradient; else by ATen's variable-length flash
// attention. Elsewhere one sequence after another (packed_reference.h). M = H D columns;
// differentiable; queries without keys get 0.

/// Queries, keys and values side by side: qkv_T3M -> [T, M].
at::Tensor attend_packed_self(const at::Tensor& qkv_T3M, const AttentionStarts& starts,
                              std::int64_t heads, bool causal);
/// query_TM attends to keys and values side by side, kv_S2M -> [T, M].
at::Tensor attend_packed_cross(const at::Tensor& query_TM, const at::Tensor& kv_S2M,
                               const AttentionStarts& starts, std::int64_t heads);

/// Self-attention of packed sequences over keys and values that E and F shorten (project_length).
struct ProjectedSelf {
  at::Tensor qkv_T3M;
  at::Tensor E_KN;
  at::Tensor F_KN;
  at::Tensor start_B1;  // int32
  std::int64_t max_length = 0;
  std::int64_t heads = 0;
  bool all_slots = false;
};
/// [T, M]; as project_length and attend_packed_cross one after the other, but on an accelerator the
/// gradients of queries, keys and values are written side by side. Differentiable in qkv, E and F.
at::Tensor attend_projected_self(const ProjectedSelf& inputs);

/// The same over segments (pool_segments).
struct PooledSelf {
  at::Tensor qkv_T3M;
  at::Tensor scores_TH;
  at::Tensor start_B1;  // int32
  std::int64_t max_length = 0;
  std::int64_t slots = 0;
  std::int64_t heads = 0;
};
/// [T, M]; as attend_projected_self. Differentiable in qkv and scores.
at::Tensor attend_pooled_self(const PooledSelf& inputs);

/// Queries, keys and values of B sequences of one length (of keys: another), rows of sequence after
/// sequence; each may be columns of a wider matrix.
struct EqualLengths {
  at::Tensor query_TM;
  at::Tensor key_SM;
  at::Tensor value_SM;
  at::Tensor query_start_B1;  // int32: PackedSequences::start_B1
  std::int64_t batch = 0;
  std::int64_t heads = 0;
  bool causal = false;  // only where T == S
  LongAttentionKernel long_attention = LongAttentionKernel::kOwn;
};
/// The same attention for them, [T, M], by `long_attention`; kFlash and kCudnn stand for sequences
/// that our kernel for short ones does not take. No gradient.
at::Tensor attend_equal_lengths(const EqualLengths& inputs);

}  // namespace linformer
