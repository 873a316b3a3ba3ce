// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

/// How softmax(q k^T / sqrt(D)) v is computed.
enum class AttentionBackend {
  kAuto,     // the faster of the other two for these shapes
  kFused,    // ATen's scaled_dot_product_attention: flash or memory-efficient kernels where they
             // exist
  kUnfused,  // product, mask, softmax, product: the scores exist in memory (the paper's baseline)
  kUnfusedByHead,  // the same, one head of one sentence at a time: scores that only so fit
};

/// The kernel for long sequences of one length on a GPU, where no gradient is wanted.
enum class LongAttentionKernel {
  kAuto,  // the fastest for these lengths, short ones too. It may be cuDNN's, which makes a plan
          // for every new shape, in tens of milliseconds: for work that is repeated
  kOwn,   // ours, where there is one, else cuDNN's
  kFlash,
  kCudnn,
};

struct AttentionInputs {
  at::Tensor query_BHND;
  at::Tensor key_BHSD;
  at::Tensor value_BHSD;
  at::Tensor mask_B11S;  // bool, true = may be attended to; undefined = all
  bool causal =
      false;  // query n sees keys 0..n; only with N == S and no mask (right padding needs none)
  AttentionBackend backend = AttentionBackend::kAuto;
};

/// Scaled dot-product attention. float32, bfloat16 or float64; B batch, H heads, N queries, S keys,
/// D head width. Returns [B, H, N, D]. Differentiable in query, key and value. Throws c10::Error
/// when sizes disagree.
at::Tensor attend(const AttentionInputs& inputs);

}  // namespace linformer
