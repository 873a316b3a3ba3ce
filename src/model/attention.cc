// SPDX-License-Identifier: Apache-2.0
// Shapes: T packed tokens, B sequences, N query length, S key length, H heads, D head width, M
// model width.
#include "model/attention.h"

#include <utility>

#include "model/linformer_attention.h"
#include "ops/linear.h"
#include "ops/packed_attention.h"

namespace linformer {

Attention::Attention(const ModelConfig& config, const ParameterScope& scope)
    : model_dim_(config.model_dim),
      num_heads_(config.num_heads),
      applies_output_(!config.compatibility) {
  const Init init = config.compatibility ? Init::kUniformFanIn : Init::kXavierStacked;
  qkv_weight_ = scope.add("qkv_proj.weight", {3 * model_dim_, model_dim_}, init);
  output_weight_ =
      scope.add("out_proj.weight", {model_dim_, model_dim_},
                config.compatibility ? Init::kUniformFanIn : Init::kXavier, applies_output_);
}

at::Tensor Attention::rows_of_qkv(std::int64_t first_block, std::int64_t num_blocks) const {
  return qkv_weight_.narrow(0, first_block * model_dim_, num_blocks * model_dim_);
}

at::Tensor Attention::split_heads(const at::Tensor& x_BNM) const {
  return x_BNM.view({x_BNM.size(0), x_BNM.size(1), num_heads_, model_dim_ / num_heads_})
      .transpose(1, 2);
}

at::Tensor Attention::output(const at::Tensor& y_TM) const {
  return applies_output_ ? linformer::linear(y_TM, output_weight_) : y_TM;
}

namespace {

at::Tensor merge_heads(const at::Tensor& y_BHND) {
  return y_BHND.transpose(1, 2).reshape({y_BHND.size(0), y_BHND.size(2), -1});
}

}  // namespace

bool Attention::shortens_first(const PackedSequences& sequences,
                               const ForwardOptions& options) const {
  if (at::GradMode::is_enabled() || options.backend != AttentionBackend::kAuto) return false;
  if (product_slots() == 0 || sequences.lengths.empty()) return false;
  // E and F cost the same either way; W_k and W_v are 4 M^2 for each row that they multiply.
  return product_slots() * sequences.batch_size() < sequences.num_tokens;
}

KeyValue Attention::shorten_first(const at::Tensor& input_TM,
                                  const PackedSequences& sequences) const {
  const ShortenedInput in = shorten_input(unpack(input_TM, sequences), sequences);
  if (!input_TM.is_cuda()) {
    return {split_heads(at::linear(in.both_2BKM[0], rows_of_qkv(1, 1))),
            split_heads(at::linear(in.both_2BKM[1], rows_of_qkv(2, 1))), in.mask_B11S};
  }
  const at::Tensor weight_2MM = rows_of_qkv(1, 2).view({2, model_dim_, model_dim_});
  const at::Tensor out_2BKM =
      at::bmm(in.both_2BKM.flatten(1, 2), weight_2MM.mT()).view(in.both_2BKM.sizes());
  return {split_heads(out_2BKM[0]), split_heads(out_2BKM[1]), in.mask_B11S};
}

at::Tensor Attention::attend_equal(const at::Tensor& query_TM, const at::Tensor& key_SM,
                                   const at::Tensor& value_SM, const PackedSequences& queries,
                                   bool causal, const ForwardOptions& options) const {
  return attend_equal_lengths({.query_TM = query_TM,
                               .key_SM = key_SM,
                               .value_SM = value_SM,
                               .query_start_B1 = queries.start_B1,
                               .batch = queries.batch_size(),
                               .heads = num_heads_,
                               .causal = causal,
                               .long_attention = options.long_attention});
}

at::Tensor Attention::attend_equal(const at::Tensor& query_TM, const KeyValue& kv,
                                   const PackedSequences& queries,
                                   const ForwardOptions& options) const {
  return attend_equal(query_TM, merge_heads(kv.key_BHSD).flatten(0, 1),
                      merge_heads(kv.value_BHSD).flatten(0, 1), queries, /*causal=*/false, options);
}

at::Tensor Attention::self_attention_by_starts(const at::Tensor& x_TM,
                                               const PackedSequences& sequences, bool causal,
                                               const ForwardOptions& options) const {
  if (shortens_first(sequences, options)) {
    return attend_equal(at::linear(x_TM, rows_of_qkv(0, 1)), shorten_first(x_TM, sequences),
                        sequences, options);
  }
  const at::Tensor qkv_T3M = linformer::linear(x_TM, qkv_weight_);
  if (shortens()) return attend_shortened_self(qkv_T3M, x_TM, sequences);
  if (!at::GradMode::is_enabled() && sequences.is_rectangle()) {
    const auto parts = qkv_T3M.split(model_dim_, 1);
    return attend_equal(parts[0], parts[1], parts[2], sequences, causal, options);
  }
  return attend_packed_self(qkv_T3M,
                            {.query_B1 = sequences.start_B1,
                             .key_B1 = sequences.start_B1,
                             .max_queries = sequences.max_length,
                             .max_keys = sequences.max_length},
                            num_heads_, causal);
}

at::Tensor Attention::self_attention(const at::Tensor& x_TM, const PackedSequences& sequences,
                                     bool causal, const ForwardOptions& options) const {
  TORCH_CHECK(!causal || !shortens(), "a Linformer has no causal form");
  if (sequences.has_starts()) {
    return output(self_attention_by_starts(x_TM, sequences, causal, options));
  }
  AttentionInputs inputs;
  KeyValue kv;
  if (shortens_first(sequences, options)) {
    inputs.query_BHND = split_heads(unpack(at::linear(x_TM, rows_of_qkv(0, 1)), sequences));
    kv = shorten_first(x_TM, sequences);
  } else {
    const at::Tensor qkv_T3M = at::linear(x_TM, qkv_weight_);
    if (!shortens() && prefers_attend_each(sequences, sequences, model_dim_)) {
      const auto qkv_THD = qkv_T3M.unflatten(1, {3, num_heads_, -1}).unbind(1);
      return output(attend_each({.query_THD = qkv_THD[0],
                                 .key_SHD = qkv_THD[1],
                                 .value_SHD = qkv_THD[2],
                                 .queries = sequences,
                                 .keys = sequences,
                                 .causal = causal,
                                 .backend = options.backend}));
    }
    const at::Tensor qkv_BN3M = unpack(qkv_T3M, sequences);
    const auto part = [&](std::int64_t i) {
      return qkv_BN3M.narrow(2, i * model_dim_, model_dim_);
    };
    inputs.query_BHND = qkv_BN3M.view({qkv_BN3M.size(0), qkv_BN3M.size(1), 3, num_heads_, -1})
                            .select(2, 0)
                            .transpose(1, 2);
    kv = shorten(part(1), part(2), x_TM, sequences);
  }
  inputs.key_BHSD = kv.key_BHSD;
  inputs.value_BHSD = kv.value_BHSD;
  // Right padding: a real query never reaches a padded key under the causal mask.
  if (!causal) inputs.mask_B11S = kv.mask_B11S;
  inputs.causal = causal;
  inputs.backend = options.backend;
  return output(repack(merge_heads(attend(inputs)), sequences));
}

KeyValue Attention::project_memory(const at::Tensor& memory_TM, const PackedSequences& memory,
                                   const ForwardOptions& options) const {
  if (shortens_first(memory, options)) return shorten_first(memory_TM, memory);
  const at::Tensor kv_BSM2 = unpack(at::linear(memory_TM, rows_of_qkv(1, 2)), memory);
  return shorten(kv_BSM2.narrow(2, 0, model_dim_), kv_BSM2.narrow(2, model_dim_, model_dim_),
                 memory_TM, memory);
}

at::Tensor Attention::cross_attention_by_starts(const at::Tensor& query_TM,
                                                const PackedSequences& queries,
                                                at::Tensor& memory_TM,
                                                const PackedSequences& memory,
                                                const ForwardOptions& options) const {
  if (queries.is_rectangle() && shortens_first(memory, options)) {
    return attend_equal(at::linear(query_TM, rows_of_qkv(0, 1)), shorten_first(memory_TM, memory),
                        queries, options);
  }
  const CrossProjection in = project_cross(query_TM, memory_TM, qkv_weight_);
  if (!shortens() && !at::GradMode::is_enabled() && queries.is_rectangle() &&
      memory.is_rectangle()) {
    const auto parts = in.key_value_S2M.split(model_dim_, 1);
    return attend_equal(in.query_TM, parts[0], parts[1], queries, /*causal=*/false, options);
  }
  const at::Tensor input_TM = std::exchange(memory_TM, in.memory_SM);
  return attend_packed(in.query_TM, queries, in.key_value_S2M, input_TM, memory);
}

at::Tensor Attention::cross_attention(const at::Tensor& query_TM, const PackedSequences& queries,
                                      at::Tensor& memory_TM, const PackedSequences& memory,
                                      const ForwardOptions& options) const {
  if (queries.has_starts()) {
    return output(cross_attention_by_starts(query_TM, queries, memory_TM, memory, options));
  }
  const at::Tensor projected_TM = at::linear(query_TM, rows_of_qkv(0, 1));
  if (!shortens() && prefers_attend_each(queries, memory, model_dim_)) {
    const auto kv_SHD =
        at::linear(memory_TM, rows_of_qkv(1, 2)).unflatten(1, {2, num_heads_, -1}).unbind(1);
    return output(attend_each({.query_THD = projected_TM.unflatten(1, {num_heads_, -1}),
                               .key_SHD = kv_SHD[0],
                               .value_SHD = kv_SHD[1],
                               .queries = queries,
                               .keys = memory,
                               .backend = options.backend}));
  }
  const KeyValue kv = project_memory(memory_TM, memory, options);
  AttentionInputs inputs;
  inputs.query_BHND = split_heads(unpack(projected_TM, queries));
  inputs.key_BHSD = kv.key_BHSD;
  inputs.value_BHSD = kv.value_BHSD;
  inputs.mask_B11S = kv.mask_B11S;
  inputs.backend = options.backend;
  return output(repack(merge_heads(attend(inputs)), queries));
}

at::Tensor Attention::attend_to(const at::Tensor& query_BM, const KeyValue& memory) const {
  AttentionInputs inputs;
  inputs.query_BHND = split_heads(at::linear(query_BM, rows_of_qkv(0, 1)).unsqueeze(1));
  inputs.key_BHSD = memory.key_BHSD;
  inputs.value_BHSD = memory.value_BHSD;
  inputs.mask_B11S = memory.mask_B11S;
  return output(merge_heads(attend(inputs)).squeeze(1));
}

at::Tensor Attention::self_step(const at::Tensor& x_BM, at::Tensor& key_cache_BHCD,
                                at::Tensor& value_cache_BHCD, std::int64_t position) const {
  const std::int64_t batch = x_BM.size(0);
  const at::Tensor qkv_3BH1D = at::linear(x_BM, qkv_weight_)
                                   .view({batch, 3, num_heads_, 1, model_dim_ / num_heads_})
                                   .transpose(0, 1);
  key_cache_BHCD.narrow(2, position, 1).copy_(qkv_3BH1D[1]);
  value_cache_BHCD.narrow(2, position, 1).copy_(qkv_3BH1D[2]);
  AttentionInputs inputs;
  inputs.query_BHND = qkv_3BH1D[0];
  inputs.key_BHSD = key_cache_BHCD.narrow(2, 0, position + 1);
  inputs.value_BHSD = value_cache_BHCD.narrow(2, 0, position + 1);
  return output(merge_heads(attend(inputs)).squeeze(1));
}

KeyValue Attention::shorten(const at::Tensor& key_BSM, const at::Tensor& value_BSM,
                            const at::Tensor& /*input_TM*/,
                            const PackedSequences& sequences) const {
  const auto heads = [&](const at::Tensor& x_BSM) {
    return x_BSM.unflatten(2, {num_heads_, model_dim_ / num_heads_}).transpose(1, 2);
  };
  KeyValue out{heads(key_BSM), heads(value_BSM), {}};
  if (sequences.is_ragged()) out.mask_B11S = sequences.mask_BN.unsqueeze(1).unsqueeze(1);
  return out;
}

at::Tensor Attention::attend_shortened_self(const at::Tensor& qkv_T3M, const at::Tensor& input_TM,
                                            const PackedSequences& sequences) const {
  const auto parts = qkv_T3M.split_with_sizes({model_dim_, 2 * model_dim_}, 1);
  return attend_packed(parts[0], sequences, parts[1], input_TM, sequences);
}

Attention::ShortenedInput Attention::shorten_input(const at::Tensor& /*input_BSM*/,
                                                   const PackedSequences& /*sequences*/) const {
  TORCH_CHECK(false, "attention whose input is not shortened");
}

ShortenedSequences Attention::shorten_packed(const at::Tensor& kv_T2M,
                                             const at::Tensor& /*input_TM*/,
                                             const PackedSequences& sequences) const {
  return {kv_T2M, sequences.start_B1, sequences.max_length};
}

at::Tensor Attention::attend_packed(const at::Tensor& query_TM, const PackedSequences& queries,
                                    const at::Tensor& kv_T2M, const at::Tensor& input_TM,
                                    const PackedSequences& keys) const {
  const ShortenedSequences kv = shorten_packed(kv_T2M, input_TM, keys);
  return attend_packed_cross(query_TM, kv.key_value_S2M,
                             {.query_B1 = queries.start_B1,
                              .key_B1 = kv.slot_start_B1,
                              .max_queries = queries.max_length,
                              .max_keys = kv.max_slots},
                             num_heads_);
}

std::unique_ptr<Attention> make_encoder_attention(const ModelConfig& config,
                                                  const ParameterScope& scope) {
  if (!config.is_linformer()) return std::make_unique<Attention>(config, scope);
  if (config.projection == Projection::kSegment) {
    return std::make_unique<SegmentAttention>(config, scope);
  }
  return std::make_unique<LinearProjectionAttention>(config, scope);
}

std::unique_ptr<Attention> make_cross_attention(const ModelConfig& config,
                                                const ParameterScope& scope) {
  return config.shortens_cross_attention() ? make_encoder_attention(config, scope)
                                           : std::make_unique<Attention>(config, scope);
}

}  // namespace linformer
