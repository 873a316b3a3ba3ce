// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/attention.h"

namespace linformer {

/// Attention whose keys and values are shortened from S to K rows by learned E and F [K,
/// max_length], shared by the heads (Wang et al. 2020, sec. 4): K' = diag(1/c) E[:, :S] (m o K), V'
/// with F. c_i is the number of real tokens j with j mod K == i; slots with c_i = 0 are masked in
/// the softmax. In compatibility mode neither the division nor the mask exists. O(N*K) time and
/// memory. Throws c10::Error when S > max_length. Has no causal form.
class LinearProjectionAttention : public Attention {
 public:
  LinearProjectionAttention(const ModelConfig& config, const ParameterScope& scope);

 protected:
  KeyValue shorten(const at::Tensor& key_BSM, const at::Tensor& value_BSM,
                   const at::Tensor& input_TM, const PackedSequences& sequences) const override;
  ShortenedSequences shorten_packed(const at::Tensor& kv_T2M, const at::Tensor& input_TM,
                                    const PackedSequences& sequences) const override;
  at::Tensor attend_shortened_self(const at::Tensor& qkv_T3M, const at::Tensor& input_TM,
                                   const PackedSequences& sequences) const override;
  ShortenedInput shorten_input(const at::Tensor& input_BSM,
                               const PackedSequences& sequences) const override;
  bool shortens() const override { return true; }
  std::int64_t product_slots() const override { return key_projection_KS_.size(0); }

 private:
  /// The columns of E or F for sequences of up to `length` tokens.
  static at::Tensor used_columns(const at::Tensor& weight_KS, std::int64_t length);
  /// What slots are multiplied by, and which there are where some are not.
  struct SlotUse {
    at::Tensor factor_BK1;
    at::Tensor mask_B11S;
  };
  SlotUse slot_use(const PackedSequences& sequences, at::ScalarType type) const;
  void check_length(const PackedSequences& sequences) const;

  at::Tensor key_projection_KS_;
  at::Tensor value_projection_KS_;
  bool compatibility_;
};

/// Attention whose keys and values are means over K equal parts of the real tokens: token j of n
/// goes to slot floor(j K / n) (slot j when n <= K: exact); weights are a softmax inside the slot
/// of one learned score per head of the key/value input, shared by K and V. Empty slots are masked.
/// Needs no max_length. Has no causal form.
class SegmentAttention : public Attention {
 public:
  SegmentAttention(const ModelConfig& config, const ParameterScope& scope);

 protected:
  KeyValue shorten(const at::Tensor& key_BSM, const at::Tensor& value_BSM,
                   const at::Tensor& input_TM, const PackedSequences& sequences) const override;
  ShortenedSequences shorten_packed(const at::Tensor& kv_T2M, const at::Tensor& input_TM,
                                    const PackedSequences& sequences) const override;
  at::Tensor attend_shortened_self(const at::Tensor& qkv_T3M, const at::Tensor& input_TM,
                                   const PackedSequences& sequences) const override;
  bool shortens() const override { return true; }

 private:
  /// [T, H], without the bias: the softmax within a segment takes no notice of it.
  at::Tensor packed_scores(const at::Tensor& input_TM) const;

  at::Tensor score_weight_HM_;
  at::Tensor score_bias_H_;
  std::int64_t projected_length_;
};

}  // namespace linformer
