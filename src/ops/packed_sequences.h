// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ops/torch.h"

namespace linformer {

// Shapes: T real tokens of all sequences, B sequences, N longest length, M any width.

/// B sequences stored as their T real tokens one after another. Row-wise work (linear layers,
/// norms, loss) sees no pad; attention goes through unpack and repack, the only place where a
/// padded form exists.
struct PackedSequences {
  at::Tensor ids_T;        // int64
  at::Tensor positions_T;  // int64: 0, 1, ... inside each sequence
  at::Tensor rows_T;       // int64: row of token t in the padded [B * N, M] form
  at::Tensor lengths_B;    // int64
  at::Tensor mask_BN;      // bool, true = real token; undefined when all sequences have length N
  std::vector<std::int64_t> lengths;
  std::int64_t max_length = 0;  // N
  std::int64_t num_tokens = 0;  // T

  std::int64_t batch_size() const { return static_cast<std::int64_t>(lengths.size()); }
  bool is_ragged() const { return mask_BN.defined(); }
};

/// Packs `ids` (all sequences one after another) of the given lengths, each >= 1. Throws c10::Error
/// when the sizes disagree.
PackedSequences pack_sequences(std::span<const std::int64_t> ids,
                               std::span<const std::int64_t> lengths, at::Device device);

/// B sequences of one length N from ids_BN (int64, on its device).
PackedSequences pack_rectangle(const at::Tensor& ids_BN);

/// x_TM -> [B, N, M]; padded rows are exactly 0. Differentiable.
at::Tensor unpack(const at::Tensor& x_TM, const PackedSequences& sequences);

/// [B, N, M] -> x_TM: drops the padded rows. Differentiable: their gradient is 0.
at::Tensor repack(const at::Tensor& x_BNM, const PackedSequences& sequences);

}  // namespace linformer
