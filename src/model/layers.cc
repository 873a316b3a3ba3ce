// SPDX-License-Identifier: Apache-2.0
// Shapes: T packed tokens, B hypotheses, M model width, F width inside the feed-forward layer.
#include "model/layers.h"

#include "ops/layer_norm.h"
#include "ops/linear.h"

namespace linformer {
namespace {

constexpr double kEpsilon = 1e-5;

}  // namespace

LayerNorm::LayerNorm(std::int64_t model_dim, const ParameterScope& scope)
    : weight_M_(scope.add("weight", {model_dim}, Init::kOnes)),
      bias_M_(scope.add("bias", {model_dim}, Init::kZeros)) {}

at::Tensor LayerNorm::forward(const at::Tensor& x_TM) const {
  return layer_norm(x_TM, weight_M_, bias_M_, kEpsilon);
}

AddedNorm LayerNorm::forward_sum(const at::Tensor& x_TM, const Addend& addend) const {
  return add_layer_norm(x_TM, addend, weight_M_, bias_M_, kEpsilon);
}

FeedForward::FeedForward(const ModelConfig& config, const ParameterScope& scope)
    : up_FM_(scope.add("0.weight", {config.ffn_dim, config.model_dim},
                       config.compatibility ? Init::kUniformFanIn : Init::kXavier)),
      down_MF_(scope.add("2.weight", {config.model_dim, config.ffn_dim},
                         config.compatibility ? Init::kUniformFanIn : Init::kXavier)),
      zeros_F_(at::zeros({config.ffn_dim}, up_FM_.options().requires_grad(false))) {}

at::Tensor FeedForward::forward(const at::Tensor& x_TM) const {
  return feed_forward(x_TM, up_FM_, down_MF_, zeros_F_);
}

Residual::Residual(const ModelConfig& config, const ParameterScope& norm_scope)
    : norm_(config.model_dim, norm_scope),
      is_pre_(config.norm == NormPlacement::kPre),
      dropout_(config.dropout) {}

StackEnds::StackEnds(const ModelConfig& config, const ParameterScope& scope)
    : dropout_(config.dropout) {
  if (config.norm == NormPlacement::kPre) norm_.emplace(config.model_dim, scope / "norm");
}

Stream StackEnds::begin(const at::Tensor& x_TM) const {
  return {x_TM, norm_ ? at::Tensor() : x_TM};
}

at::Tensor StackEnds::end(const Stream& stream, bool training) const {
  if (!norm_) return stream.branch_TM;
  return norm_->forward_sum(stream.residual_TM, {stream.branch_TM, training ? dropout_ : 0.0})
      .out_TM;
}

EncoderLayer::EncoderLayer(const ModelConfig& config, const ParameterScope& scope)
    : attention_(make_encoder_attention(config, scope / "attention")),
      attention_residual_(config, scope / "norm1"),
      mlp_(config, scope / "mlp"),
      mlp_residual_(config, scope / "norm2") {}

Stream EncoderLayer::forward(const Stream& x, const PackedSequences& sequences,
                             const ForwardOptions& options) const {
  const Stream mid = attention_residual_.forward(x, options.training, [&](const at::Tensor& z_TM) {
    return attention_->self_attention(z_TM, sequences, /*causal=*/false, options);
  });
  return mlp_residual_.forward(mid, options.training,
                               [&](const at::Tensor& z_TM) { return mlp_.forward(z_TM); });
}

DecoderLayer::DecoderLayer(const ModelConfig& config, const ParameterScope& scope)
    : self_attention_(config, scope / "self_attention"),
      self_residual_(config, scope / "norm1"),
      cross_attention_(make_cross_attention(config, scope / "cross_attention")),
      cross_residual_(config, scope / "norm2"),
      mlp_(config, scope / "mlp"),
      mlp_residual_(config, scope / "norm3") {}

Stream DecoderLayer::forward(const Stream& y, const PackedSequences& targets, at::Tensor& memory_TM,
                             const PackedSequences& memory, const ForwardOptions& options) const {
  Stream x = self_residual_.forward(y, options.training, [&](const at::Tensor& z_TM) {
    return self_attention_.self_attention(z_TM, targets, /*causal=*/true, options);
  });
  x = cross_residual_.forward(x, options.training, [&](const at::Tensor& z_TM) {
    return cross_attention_->cross_attention(z_TM, targets, memory_TM, memory, options);
  });
  return mlp_residual_.forward(x, options.training,
                               [&](const at::Tensor& z_TM) { return mlp_.forward(z_TM); });
}

KeyValue DecoderLayer::project_memory(const at::Tensor& memory_TM,
                                      const PackedSequences& memory) const {
  KeyValue out = cross_attention_->project_memory(memory_TM, memory);
  // Every step reads all of them: the rows of a head one behind the other.
  out.key_BHSD = out.key_BHSD.contiguous();
  out.value_BHSD = out.value_BHSD.contiguous();
  return out;
}

Stream DecoderLayer::step(const Stream& y_BM, LayerState& state, std::int64_t position) const {
  Stream x = self_residual_.forward(y_BM, false, [&](const at::Tensor& z_BM) {
    return self_attention_.self_step(z_BM, state.key_cache_BHCD, state.value_cache_BHCD, position);
  });
  x = cross_residual_.forward(x, false, [&](const at::Tensor& z_BM) {
    return cross_attention_->attend_to(z_BM, state.memory);
  });
  return mlp_residual_.forward(x, false,
                               [&](const at::Tensor& z_BM) { return mlp_.forward(z_BM); });
}

}  // namespace linformer
