// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "config/model_config.h"
#include "model/forward_options.h"
#include "model/parameter_store.h"
#include "ops/length_projection.h"
#include "ops/packed_sequences.h"

namespace linformer {

// Shapes: T packed tokens, B sequences, N query length, S key length (K after shortening), H heads,
// D head width, M model width.

/// Keys and values as queries see them: shortened in a Linformer, so that a decoder may keep K rows
/// whatever the source length.
struct KeyValue {
  at::Tensor key_BHSD;
  at::Tensor value_BHSD;
  at::Tensor mask_B11S;  // bool, true = may be attended to; undefined = all
};

/// Multi-head attention of packed sequences (seed.md's W_qkv [3M, M]: rows Q, K, V; head i has
/// features i*D..(i+1)*D). This class is the full attention; subclasses shorten keys and values.
/// The output passes W^O except in compatibility mode, where out_proj exists in the state and is
/// not applied.
class Attention {
 public:
  Attention(const ModelConfig& config, const ParameterScope& scope);
  virtual ~Attention() = default;

  /// x_TM attends to itself. `causal` only for full attention.
  at::Tensor self_attention(const at::Tensor& x_TM, const PackedSequences& sequences, bool causal,
                            const ForwardOptions& options) const;
  /// query_TM attends to memory (the encoder's output), which becomes what the next layer is to
  /// read: the same values (CrossProjection).
  at::Tensor cross_attention(const at::Tensor& query_TM, const PackedSequences& queries,
                             at::Tensor& memory_TM, const PackedSequences& memory,
                             const ForwardOptions& options) const;

  /// Keys and values of the memory, for decoding.
  KeyValue project_memory(const at::Tensor& memory_TM, const PackedSequences& memory,
                          const ForwardOptions& options = {}) const;
  /// One query a sequence against kept keys and values: query_BM -> [B, M].
  at::Tensor attend_to(const at::Tensor& query_BM, const KeyValue& memory) const;
  /// Decoding step of causal self-attention: x_BM at `position`; writes its key and value into the
  /// caches [B, H, capacity, D].
  at::Tensor self_step(const at::Tensor& x_BM, at::Tensor& key_cache_BHCD,
                       at::Tensor& value_cache_BHCD, std::int64_t position) const;

 protected:
  /// Shortens the unpacked keys and values [B, S, M] (zero at pads) of `sequences`; input_TM is
  /// what they were made from.
  virtual KeyValue shorten(const at::Tensor& key_BSM, const at::Tensor& value_BSM,
                           const at::Tensor& input_TM, const PackedSequences& sequences) const;
  /// The same of packed sequences with starts: rows of keys and values, and where they start.
  virtual ShortenedSequences shorten_packed(const at::Tensor& kv_T2M, const at::Tensor& input_TM,
                                            const PackedSequences& sequences) const;
  /// Packed self-attention over what shorten_packed makes of keys and values, where it changes
  /// them.
  virtual at::Tensor attend_shortened_self(const at::Tensor& qkv_T3M, const at::Tensor& input_TM,
                                           const PackedSequences& sequences) const;
  /// What keys and values are made from, shortened to product_slots() rows, [2, B, K, M], and their
  /// mask as in KeyValue. Without a gradient.
  struct ShortenedInput {
    at::Tensor both_2BKM;
    at::Tensor mask_B11S;
  };
  virtual ShortenedInput shorten_input(const at::Tensor& input_BSM,
                                       const PackedSequences& sequences) const;
  /// Whether shorten changes anything; if so there is no causal form.
  virtual bool shortens() const { return false; }
  /// Rows that keys and values are multiplied by a matrix to, which may as well be done to the
  /// input they are projected from: E(xW) = (Ex)W, by shorten_input. 0: they are not.
  virtual std::int64_t product_slots() const { return 0; }

  at::Tensor split_heads(const at::Tensor& x_BNM) const;

  std::int64_t model_dim_;
  std::int64_t num_heads_;

 private:
  at::Tensor output(const at::Tensor& y_TM) const;
  bool shortens_first(const PackedSequences& sequences, const ForwardOptions& options) const;
  KeyValue shorten_first(const at::Tensor& input_TM, const PackedSequences& sequences) const;
  at::Tensor attend_equal(const at::Tensor& query_TM, const at::Tensor& key_SM,
                          const at::Tensor& value_SM, const PackedSequences& queries, bool causal,
                          const ForwardOptions& options) const;
  at::Tensor attend_equal(const at::Tensor& query_TM, const KeyValue& kv,
                          const PackedSequences& queries, const ForwardOptions& options) const;
  at::Tensor self_attention_by_starts(const at::Tensor& x_TM, const PackedSequences& sequences,
                                      bool causal, const ForwardOptions& options) const;
  at::Tensor cross_attention_by_starts(const at::Tensor& query_TM, const PackedSequences& queries,
                                       at::Tensor& memory_TM, const PackedSequences& memory,
                                       const ForwardOptions& options) const;
  at::Tensor attend_packed(const at::Tensor& query_TM, const PackedSequences& queries,
                           const at::Tensor& kv_T2M, const at::Tensor& input_TM,
                           const PackedSequences& keys) const;
  at::Tensor rows_of_qkv(std::int64_t first_block, std::int64_t num_blocks) const;

  at::Tensor qkv_weight_;
  at::Tensor output_weight_;
  bool applies_output_;
};

/// The attention that `config` asks for in the encoder.
std::unique_ptr<Attention> make_encoder_attention(const ModelConfig& config,
                                                  const ParameterScope& scope);
/// And between decoder and encoder: the same, or full (ModelConfig::cross_attention).
std::unique_ptr<Attention> make_cross_attention(const ModelConfig& config,
                                                const ParameterScope& scope);

}  // namespace linformer
