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

}  // namespace linformer
