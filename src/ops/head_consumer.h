// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

/// What becomes of the head's logits hidden W^T + b [T, V] when no gradient is wanted.
enum class HeadOutput {
  kNone,     // no head: hidden_TM itself
  kLogits,   // [T, V] in the compute type
  kSoftmax,  // [T, V] float32 (float64) probabilities, as the original returns them
  kNll,      // [T] float32 (float64): -log of the target's probability
  kArgmax,   // [T] int64: the column of the largest logit
};

struct HeadInputs {
  at::Tensor hidden_TM;
  at::Tensor weight_VM;  // of the type and device of hidden_TM
  at::Tensor bias_V;     // undefined = none
  at::Tensor targets_T;  // int64; read by kNll alone
};

/// Logits that are not the result exist for a chunk of rows at a time (inference_chunk_rows), or,
/// where the accelerator has a kernel for it, not at all. No gradient. Throws c10::Error when sizes
/// disagree.
at::Tensor consume_head(const HeadInputs& inputs, HeadOutput output);

}  // namespace linformer
