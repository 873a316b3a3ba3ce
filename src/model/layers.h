// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "model/attention.h"

namespace linformer {

/// Layer norm over the last dimension, eps 1e-5, with gain and bias.
class LayerNorm {
 public:
  LayerNorm(std::int64_t model_dim, const ParameterScope& scope);
  at::Tensor forward(const at::Tensor& x_TM) const;

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
};

/// A sublayer with its residual: x + drop(f(norm(x))) (pre) or norm(drop(f(x)) + x) (post).
class Residual {
 public:
  Residual(const ModelConfig& config, const ParameterScope& norm_scope);

  template <typename Sublayer>
  at::Tensor forward(const at::Tensor& x_TM, bool training, const Sublayer& sublayer) const {
    if (is_pre_) return x_TM + drop(sublayer(norm_.forward(x_TM)), training);
    return norm_.forward(drop(sublayer(x_TM), training) + x_TM);
  }

 private:
  at::Tensor drop(const at::Tensor& y_TM, bool training) const;

  LayerNorm norm_;
  bool is_pre_;
  double dropout_;
};

class EncoderLayer {
 public:
  EncoderLayer(const ModelConfig& config, const ParameterScope& scope);
  at::Tensor forward(const at::Tensor& x_TM, const PackedSequences& sequences,
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
  at::Tensor forward(const at::Tensor& y_TM, const PackedSequences& targets,
                     const at::Tensor& memory_TM, const PackedSequences& memory,
                     const ForwardOptions& options) const;
  KeyValue project_memory(const at::Tensor& memory_TM, const PackedSequences& memory) const;
  at::Tensor step(const at::Tensor& y_BM, LayerState& state, std::int64_t position) const;

 private:
  Attention self_attention_;
  Residual self_residual_;
  std::unique_ptr<Attention> cross_attention_;
  Residual cross_residual_;
  FeedForward mlp_;
  Residual mlp_residual_;
};

}  // namespace linformer
