// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

/// Keys and values of packed sequences, shortened: those of sequence b are rows slot_start_B1[b] up
/// to slot_start_B1[b + 1].
struct ShortenedSequences {
  at::Tensor key_value_S2M;
  at::Tensor slot_start_B1;    // int32
  std::int64_t max_slots = 0;  // of a sequence
};

/// The Linformer's E and F over packed sequences (K' = diag(1/c) E[:, :n] K, where slot i
/// has c_i = #{j < n: j mod K = i} tokens, and slots without one are left out; with `all_slots` K
/// slots for every sequence and no division). kv_T2M: rows of keys and values, of the type of E and
/// F; start_B1: int32 row of each sequence's first token, and the number of rows. In bfloat16 on a
/// GPU with an accelerator, width a multiple of 64, by its kernels; elsewhere one sequence after
/// another (packed_reference.h). Differentiable in kv, E and F.
ShortenedSequences project_length(const at::Tensor& kv_T2M, const at::Tensor& E_KN,
                                  const at::Tensor& F_KN, const at::Tensor& start_B1,
                                  bool all_slots);

/// E x of each of B sequences of one length: x_BNM -> [B, K, M]. Any device and type. `parts`: cuts
/// the tokens of every product into so many, which must divide N, and adds up their results, so
/// that few long products keep a whole GPU busy; 1 = no cut, differentiable in both.
at::Tensor project_rectangle(const at::Tensor& E_KN, const at::Tensor& x_BNM, std::int64_t parts);

/// Both for E and F [K, N] of one input, side by side, without a gradient: -> [2, B, K, M].
at::Tensor project_rectangle_by_both(const at::Tensor& E_KN, const at::Tensor& F_KN,
                                     const at::Tensor& x_BNM, std::int64_t parts);

/// How many parts fill a GPU; 1 on a CPU, and where a gradient is wanted.
std::int64_t projection_parts(const at::Tensor& E_KN, const at::Tensor& x_BNM);

/// The segment projection: token j of n goes to slot j where n <= `slots`, else to
/// floor(j slots / n); a slot is the mean of its tokens, weighted for each of H heads by the
/// softmax of scores_TH within it. Types, device and starts as above. Differentiable in kv and
/// scores.
ShortenedSequences pool_segments(const at::Tensor& kv_T2M, const at::Tensor& scores_TH,
                                 const at::Tensor& start_B1, std::int64_t slots);

}  // namespace linformer
