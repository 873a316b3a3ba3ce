// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/embedding.h"
#include "model/layers.h"

namespace linformer {

/// The parameter count of `config` in closed form: trained and all (the original keeps an out_proj
/// that it never applies).
struct ParameterCount {
  std::int64_t total = 0;
  std::int64_t trained = 0;
};

/// What an unfinished batch of B hypotheses keeps between decoding steps.
struct DecoderState {
  std::vector<LayerState> layers;
  std::int64_t position = 0;  // tokens decoded so far

  std::int64_t batch_size() const { return layers.front().key_cache_BHCD.size(0); }
  /// Keeps the hypotheses rows_B (int64 indices into the batch), in that order; rows may repeat.
  void select(const at::Tensor& rows_B);
};

/// Encoder-decoder (or encoder-only) translator over packed tokens, vanilla or Linformer by its
/// config. Its parameters live in the store it was built on, under the original's names.
class Transformer {
 public:
  Transformer(const ModelConfig& config, ParameterStore& store);

  /// Source -> memory_TM.
  at::Tensor encode(const PackedSequences& source, const ForwardOptions& options = {});
  /// Target inputs (starting with <s>) -> hidden_TM, before the head.
  at::Tensor decode(const PackedSequences& target, const at::Tensor& memory_TM,
                    const PackedSequences& source, const ForwardOptions& options = {});

  /// The decoder's hidden_TM of both sides: encode and decode, with one look-up of all tokens where
  /// both sequences have starts.
  at::Tensor forward(const PackedSequences& source, const PackedSequences& target,
                     const ForwardOptions& options);

  /// Starts decoding of every sequence of `source`.
  DecoderState start(const at::Tensor& memory_TM, const PackedSequences& source) const;
  /// ids_B (int64) at state.position -> hidden_BM; advances the state.
  at::Tensor step(const at::Tensor& ids_B, DecoderState& state);

  /// hidden [rows, M] -> logits [rows, V].
  at::Tensor logits(const at::Tensor& hidden_TM) const;
  const at::Tensor& head_weight() const { return head_weight_VM_; }
  const at::Tensor& head_bias() const {
    return head_bias_V_;
  }  // undefined when embeddings are tied
  const ModelConfig& config() const { return config_; }

 private:
  at::Tensor encode_embedded(const at::Tensor& x_TM, const PackedSequences& source,
                             const ForwardOptions& options) const;
  at::Tensor decode_embedded(const at::Tensor& y_TM, const PackedSequences& target,
                             const at::Tensor& memory_TM, const PackedSequences& source,
                             const ForwardOptions& options) const;

  ModelConfig config_;
  Embedding embedding_;
  std::vector<EncoderLayer> encoder_;
  std::optional<StackEnds> encoder_ends_;
  std::vector<DecoderLayer> decoder_;
  std::optional<StackEnds> decoder_ends_;
  at::Tensor head_weight_VM_;
  at::Tensor head_bias_V_;
};

}  // namespace linformer
