// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "model/attention.h"
#include "ops/layer_norm.h"

namespace linformer {

/// Layer norm over the last dimension, eps 1e-5, with gain and bias.
class LayerNorm {
 public:
  LayerNorm(std::int64_t model_dim, const ParameterScope& scope);
  at::Tensor forward(const at::Tensor& x_TM) const;
  /// Of x + dropout(y).
  AddedNorm forward_sum(const at::Tensor& x_TM, const Addend& addend) const;

 private:
  at::Tensor weight_M_;
  at::Tensor bias_M_;
};

/// W_2 ReLU(W_1 x), no biases.
class FeedForward {
 public:
  FeedForward(const ModelConfig& config, const ParameterScope& scope);
  at::Tensor forward(const at::Tensor& x_TM) const;

 private:
  at::Tensor up_FM_;
  at::Tensor down_MF_;
  at::Tensor zeros_F_;
};

/// What runs between sublayers.
struct Stream {
  at::Tensor residual_TM;
  /// Pre-norm: what the last sublayer gave, which the norm behind it adds to the residual
  /// (undefined before the first). Post-norm: the residual again, for the sublayer: equal tensors,
  /// whose gradients a GPU adds in the norm's kernel.
  at::Tensor branch_TM;
};

/// A sublayer with its residual: x + drop(f(norm(x))) (pre) or norm(drop(f(x)) + x) (post).
class Residual {
 public:
  Residual(const ModelConfig& config, const ParameterScope& norm_scope);

  template <typename Sublayer>
  Stream forward(const Stream& stream, bool training, const Sublayer& sublayer) const {
    if (is_pre_) {
      const AddedNorm norm =
          norm_.forward_sum(stream.residual_TM, {stream.branch_TM, training ? dropout_ : 0.0});
      return {norm.sum_TM, sublayer(norm.out_TM)};
    }
    const AddedNorm norm = norm_.forward_sum(
        stream.residual_TM, {sublayer(stream.branch_TM), training ? dropout_ : 0.0});
    return {norm.out_TM, norm.again_TM};
  }

 private:
  LayerNorm norm_;
  bool is_pre_;
  double dropout_;
};

/// What begins and ends a stack of layers. Pre-norm has a norm at its end.
class StackEnds {
 public:
  StackEnds(const ModelConfig& config, const ParameterScope& scope);
  Stream begin(const at::Tensor& x_TM) const;
  at::Tensor end(const Stream& stream, bool training) const;

 private:
  std::optional<LayerNorm> norm_;
  double dropout_;
};

class EncoderLayer {
 public:
  EncoderLayer(const ModelConfig& config, const ParameterScope& scope);
  Stream forward(const Stream& x, const PackedSequences& sequences,
                 const ForwardOptions& options) const;

 private:
  std::unique_ptr<Attention> attention_;
  Residual attention_residual_;
  FeedForward mlp_;
  Residual mlp_residual_;
};

/// What one decoder layer keeps of a batch of B hypotheses.
struct LayerState {
  at::Tensor key_cache_BHCD;
  at::Tensor value_cache_BHCD;
  KeyValue memory;
};

class DecoderLayer {
 public:
  DecoderLayer(const ModelConfig& config, const ParameterScope& scope);
  /// memory_TM becomes what the next layer is to read: the same values.
  Stream forward(const Stream& y, const PackedSequences& targets, at::Tensor& memory_TM,
                 const PackedSequences& memory, const ForwardOptions& options) const;
  KeyValue project_memory(const at::Tensor& memory_TM, const PackedSequences& memory) const;
  Stream step(const Stream& y_BM, LayerState& state, std::int64_t position) const;

 private:
  Attention self_attention_;
  Residual self_residual_;
  std::unique_ptr<Attention> cross_attention_;
  Residual cross_residual_;
  FeedForward mlp_;
  Residual mlp_residual_;
};

}  // namespace linformer
