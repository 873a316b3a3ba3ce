// SPDX-License-Identifier: Apache-2.0
// Shapes: T packed tokens, B sequences or hypotheses, M model width, V vocabulary, H heads, C cache
// capacity, D head width.
#include "model/transformer.h"

#include <algorithm>
#include <string>

#include "base/signals.h"

namespace linformer {
namespace {

constexpr std::int64_t kCacheBlock = 32;

/// A long step on a CPU notices a signal between layers, forward and backward.
void poll_signals(at::Tensor& x_TM) {
  throw_if_interrupted();
  if (x_TM.requires_grad() && x_TM.is_cpu()) {
    x_TM.register_hook([](const at::Tensor&) { throw_if_interrupted(); });
  }
}

void grow(at::Tensor& cache_BHCD, std::int64_t capacity) {
  at::Tensor larger = at::empty(
      {cache_BHCD.size(0), cache_BHCD.size(1), capacity, cache_BHCD.size(3)}, cache_BHCD.options());
  larger.narrow(2, 0, cache_BHCD.size(2)).copy_(cache_BHCD);
  cache_BHCD = larger;
}

}  // namespace

void DecoderState::select(const at::Tensor& rows_B) {
  const auto keep = [&](at::Tensor& x) {
    if (x.defined()) x = at::index_select(x, 0, rows_B);
  };
  for (LayerState& layer : layers) {
    keep(layer.key_cache_BHCD);
    keep(layer.value_cache_BHCD);
    keep(layer.memory.key_BHSD);
    keep(layer.memory.value_BHSD);
    keep(layer.memory.mask_B11S);
  }
}

Transformer::Transformer(const ModelConfig& config, ParameterStore& store)
    : config_(config), embedding_(config, ParameterScope(store) / "model" / "embedding") {
  const ParameterScope model = ParameterScope(store) / "model";
  for (std::int64_t i = 0; i < config.num_layers; ++i) {
    encoder_.emplace_back(config, model / "encoder" / "stacked" / std::to_string(i));
  }
  encoder_ends_.emplace(config, model / "encoder");
  if (!config.encoder_only) {
    for (std::int64_t i = 0; i < config.num_layers; ++i) {
      decoder_.emplace_back(config, model / "decoder" / "stacked" / std::to_string(i));
    }
    decoder_ends_.emplace(config, model / "decoder");
  }
  if (config.tie_embeddings) {
    head_weight_VM_ = embedding_.weight();
  } else {
    const ParameterScope head = ParameterScope(store) / "linear";
    head_weight_VM_ = head.add("weight", {config.vocab_size, config.model_dim},
                               config.compatibility ? Init::kUniformFanIn : Init::kXavier);
    // The original's bias starts at U(+-1/sqrt(M)) as PyTorch's; a shape [V] has no fan-in of its
    // own.
    head_bias_V_ = head.add("bias", {config.vocab_size}, Init::kZeros);
    if (config.compatibility) {
      const at::NoGradGuard no_grad;
      const Parameter* bias = store.find("linear.bias");
      const at::Tensor start = store.find("linear.weight")->master.select(1, 0).clone();
      bias->master.copy_(start);
      store.refresh_shadows();
    }
  }
}

at::Tensor Transformer::encode(const PackedSequences& source, const ForwardOptions& options) {
  return encode_embedded(
      embedding_.forward(source.ids_T, source.positions_T, source.max_length, options), source,
      options);
}

at::Tensor Transformer::encode_embedded(const at::Tensor& x_TM, const PackedSequences& source,
                                        const ForwardOptions& options) const {
  Stream x = encoder_ends_->begin(x_TM);
  for (const EncoderLayer& layer : encoder_) {
    x = layer.forward(x, source, options);
    poll_signals(x.branch_TM);
  }
  return encoder_ends_->end(x, options.training);
}

at::Tensor Transformer::decode(const PackedSequences& target, const at::Tensor& memory_TM,
                               const PackedSequences& source, const ForwardOptions& options) {
  return decode_embedded(
      embedding_.forward(target.ids_T, target.positions_T, target.max_length, options), target,
      memory_TM, source, options);
}

at::Tensor Transformer::decode_embedded(const at::Tensor& y_TM, const PackedSequences& target,
                                        const at::Tensor& memory_TM, const PackedSequences& source,
                                        const ForwardOptions& options) const {
  TORCH_CHECK(!config_.encoder_only, "an encoder-only model has no decoder");
  Stream y = decoder_ends_->begin(y_TM);
  at::Tensor memory = memory_TM;
  for (const DecoderLayer& layer : decoder_) {
    y = layer.forward(y, target, memory, source, options);
    poll_signals(y.branch_TM);
  }
  return decoder_ends_->end(y, options.training);
}

at::Tensor Transformer::forward(const PackedSequences& source, const PackedSequences& target,
                                const ForwardOptions& options) {
  if (!source.has_starts() || !target.has_starts()) {
    return decode(target, encode(source, options), source, options);
  }
  const auto both = embedding_
                        .forward(at::cat({source.ids_T, target.ids_T}),
                                 at::cat({source.positions_T, target.positions_T}),
                                 std::max(source.max_length, target.max_length), options)
                        .split_with_sizes({source.num_rows(), target.num_rows()});
  return decode_embedded(both[1], target, encode_embedded(both[0], source, options), source,
                         options);
}

DecoderState Transformer::start(const at::Tensor& memory_TM, const PackedSequences& source) const {
  TORCH_CHECK(!config_.encoder_only, "an encoder-only model cannot translate");
  DecoderState state;
  for (const DecoderLayer& layer : decoder_) {
    LayerState kept;
    kept.memory = layer.project_memory(memory_TM, source);
    const std::vector<std::int64_t> shape{source.batch_size(), config_.num_heads, kCacheBlock,
                                          config_.head_dim()};
    kept.key_cache_BHCD = at::empty(shape, memory_TM.options());
    kept.value_cache_BHCD = at::empty(shape, memory_TM.options());
    state.layers.push_back(std::move(kept));
  }
  return state;
}

at::Tensor Transformer::step(const at::Tensor& ids_B, DecoderState& state) {
  throw_if_interrupted();
  const at::Tensor position_B = at::full({ids_B.size(0)}, state.position, ids_B.options());
  Stream y_BM = decoder_ends_->begin(embedding_.forward(ids_B, position_B, state.position + 1, {}));
  for (std::size_t i = 0; i < decoder_.size(); ++i) {
    LayerState& layer = state.layers[i];
    if (state.position == layer.key_cache_BHCD.size(2)) {
      grow(layer.key_cache_BHCD, 2 * state.position);
      grow(layer.value_cache_BHCD, 2 * state.position);
    }
    y_BM = decoder_[i].step(y_BM, layer, state.position);
  }
  ++state.position;
  return decoder_ends_->end(y_BM, /*training=*/false);
}

at::Tensor Transformer::logits(const at::Tensor& hidden_TM) const {
  return at::linear(
      hidden_TM, head_weight_VM_,
      head_bias_V_.defined() ? std::optional<at::Tensor>(head_bias_V_) : std::nullopt);
}

}  // namespace linformer
