// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ops/torch.h"

namespace linformer {

// Shapes: T rows, of which the first R hold the real tokens of all sequences; B sequences, N
// longest length, M any width.

/// B sequences stored as their R real tokens one after another. Row-wise work (linear layers,
/// norms) sees no pad, unless rows were asked for that all batches have (T > R): those at the end
/// hold pads that reach no sequence and no loss. Attention goes through unpack and repack, or takes
/// each sequence alone; both leave 0 in the rows at the end.
struct PackedSequences {
  at::Tensor ids_T;        // int64; 0 at the end
  at::Tensor positions_T;  // int64: 0, 1, ... inside each sequence; 0 at the end
  at::Tensor rows_R;       // int64: row of token r in the padded [B * N, M] form
  at::Tensor lengths_B;    // int64
  at::Tensor mask_BN;      // bool, true = real token; undefined when all sequences have length N
  std::vector<std::int64_t> lengths;
  std::int64_t max_length = 0;  // N
  std::int64_t num_tokens = 0;  // R

  // By starts (pack_by_starts) in place of rows, lengths and mask: attention in kernels that read
  // where sequences begin, so that one recorded graph serves every batch of a shape.
  at::Tensor start_B1;  // int32: first row of each sequence, and the number of rows

  bool has_starts() const { return start_B1.defined(); }
  /// All of one length, known on the host, without pads at the end.
  bool is_rectangle() const {
    return !lengths.empty() && !is_ragged() && num_rows() == batch_size() * max_length;
  }
  std::int64_t num_rows() const { return ids_T.size(0); }  // T
  std::int64_t batch_size() const { return static_cast<std::int64_t>(lengths.size()); }
  bool is_ragged() const { return mask_BN.defined(); }
};

/// Packs `ids` (all sequences one after another) of the given lengths, each >= 1, in `num_rows`
/// rows; 0 = as many as tokens. Throws c10::Error when the sizes disagree.
PackedSequences pack_sequences(std::span<const std::int64_t> ids,
                               std::span<const std::int64_t> lengths, at::Device device,
                               std::int64_t num_rows = 0);

/// A view of what is on the device already: int32 ids and positions of T rows, and starts of B
/// sequences, to which all rows belong; pads at the end are sequences of their own. No sequence is
/// longer than `max_length`.
PackedSequences pack_by_starts(const at::Tensor& ids_T, const at::Tensor& positions_T,
                               const at::Tensor& start_B1, std::int64_t max_length);

/// B sequences of one length N from ids_BN (int64, on its device).
PackedSequences pack_rectangle(const at::Tensor& ids_BN);

/// The same by starts, with int32 ids: what an accelerator computes without masks.
PackedSequences pack_rectangle_by_starts(const at::Tensor& ids_BN);

/// The first R rows: real tokens.
at::Tensor real_rows(const at::Tensor& x_TM, const PackedSequences& sequences);
/// x_RM -> x_TM: 0 in the rows at the end. Differentiable.
at::Tensor with_all_rows(const at::Tensor& x_RM, const PackedSequences& sequences);

/// x_TM -> [B, N, M]; padded rows are exactly 0. Differentiable.
at::Tensor unpack(const at::Tensor& x_TM, const PackedSequences& sequences);

/// [B, N, M] -> x_TM: drops the padded rows; 0 in the rows at the end. Differentiable: the gradient
/// of padded rows is 0.
at::Tensor repack(const at::Tensor& x_BNM, const PackedSequences& sequences);

}  // namespace linformer
