// SPDX-License-Identifier: Apache-2.0
// Shapes: T packed tokens, B sequences, S key length, K slots, H heads, D head width, M model
// width.
#include "model/linformer_attention.h"

#include <algorithm>
#include <limits>

#include "ops/linear.h"
#include "ops/packed_attention.h"

namespace linformer {
namespace {

Init projection_init(const ModelConfig& config) {
  switch (config.projection_init) {
    case ProjectionInit::kIdentity:
      return Init::kProjectionCyclic;
    case ProjectionInit::kNormal:
      return Init::kProjectionNormal;
    case ProjectionInit::kSeed:
      return Init::kUniformFanIn;
  }
  return Init::kProjectionCyclic;
}

}  // namespace

LinearProjectionAttention::LinearProjectionAttention(const ModelConfig& config,
                                                     const ParameterScope& scope)
    : Attention(config, scope),
      key_projection_KS_(scope.add("E.weight", {config.projected_length, config.max_length},
                                   projection_init(config))),
      value_projection_KS_(scope.add("F.weight", {config.projected_length, config.max_length},
                                     projection_init(config))),
      compatibility_(config.compatibility) {}

at::Tensor LinearProjectionAttention::used_columns(const at::Tensor& weight_KS,
                                                   std::int64_t length) {
  TORCH_CHECK(length <= weight_KS.size(1), "sequence of ", length,
              " tokens is longer than max_length ", weight_KS.size(1));
  return weight_KS.narrow(1, 0, length);
}

LinearProjectionAttention::SlotUse LinearProjectionAttention::slot_use(
    const PackedSequences& sequences, at::ScalarType type) const {
  const std::int64_t slots = key_projection_KS_.size(0);
  const at::Tensor slot_K = at::arange(slots, sequences.lengths_B.options());
  // Real tokens j = i, i + K, i + 2K, ... below the length.
  const at::Tensor count_BK =
      (sequences.lengths_B.unsqueeze(1) - slot_K + (slots - 1)).floor_divide(slots).clamp_min(0);
  SlotUse out{count_BK.clamp_min(1).to(type).reciprocal().unsqueeze(2), {}};
  const std::int64_t shortest =
      *std::min_element(sequences.lengths.begin(), sequences.lengths.end());
  if (shortest < slots) out.mask_B11S = count_BK.gt(0).unsqueeze(1).unsqueeze(1);
  return out;
}

KeyValue LinearProjectionAttention::shorten(const at::Tensor& key_BSM, const at::Tensor& value_BSM,
                                            const at::Tensor& /*input_TM*/,
                                            const PackedSequences& sequences) const {
  const auto project = [](const at::Tensor& weight_KS, const at::Tensor& x_BSM) {
    const at::Tensor used_KS = used_columns(weight_KS, x_BSM.size(1));
    return project_rectangle(used_KS, x_BSM, projection_parts(used_KS, x_BSM));  // pads: zero rows
  };
  const at::Tensor key_BKM = project(key_projection_KS_, key_BSM);
  const at::Tensor value_BKM = project(value_projection_KS_, value_BSM);
  if (compatibility_) return {split_heads(key_BKM), split_heads(value_BKM), {}};
  const SlotUse use = slot_use(sequences, key_BKM.scalar_type());
  return {split_heads(key_BKM * use.factor_BK1), split_heads(value_BKM * use.factor_BK1),
          use.mask_B11S};
}

Attention::ShortenedInput LinearProjectionAttention::shorten_input(
    const at::Tensor& input_BSM, const PackedSequences& sequences) const {
  const std::int64_t length = input_BSM.size(1);
  const at::Tensor E_KS = used_columns(key_projection_KS_, length);
  ShortenedInput out{project_rectangle_by_both(E_KS, used_columns(value_projection_KS_, length),
                                               input_BSM, projection_parts(E_KS, input_BSM)),
                     {}};
  if (compatibility_) return out;
  const SlotUse use = slot_use(sequences, out.both_2BKM.scalar_type());
  out.both_2BKM.mul_(use.factor_BK1);
  out.mask_B11S = use.mask_B11S;
  return out;
}

ShortenedSequences LinearProjectionAttention::shorten_packed(
    const at::Tensor& kv_T2M, const at::Tensor& /*input_TM*/,
    const PackedSequences& sequences) const {
  check_length(sequences);
  return project_length(kv_T2M, key_projection_KS_, value_projection_KS_, sequences.start_B1,
                        compatibility_);
}

at::Tensor LinearProjectionAttention::attend_shortened_self(
    const at::Tensor& qkv_T3M, const at::Tensor& /*input_TM*/,
    const PackedSequences& sequences) const {
  check_length(sequences);
  return attend_projected_self({.qkv_T3M = qkv_T3M,
                                .E_KN = key_projection_KS_,
                                .F_KN = value_projection_KS_,
                                .start_B1 = sequences.start_B1,
                                .max_length = sequences.max_length,
                                .heads = num_heads_,
                                .all_slots = compatibility_});
}

void LinearProjectionAttention::check_length(const PackedSequences& sequences) const {
  TORCH_CHECK(sequences.max_length <= key_projection_KS_.size(1), "sequences of up to ",
              sequences.max_length, " tokens for a max_length of ", key_projection_KS_.size(1));
}

SegmentAttention::SegmentAttention(const ModelConfig& config, const ParameterScope& scope)
    : Attention(config, scope),
      score_weight_HM_(
          scope.add("segment_score.weight", {config.num_heads, config.model_dim}, Init::kXavier)),
      score_bias_H_(scope.add("segment_score.bias", {config.num_heads}, Init::kZeros)),
      projected_length_(config.projected_length) {}

KeyValue SegmentAttention::shorten(const at::Tensor& key_BSM, const at::Tensor& value_BSM,
                                   const at::Tensor& input_TM,
                                   const PackedSequences& sequences) const {
  const std::int64_t length = key_BSM.size(1);
  const std::int64_t slots = std::min(projected_length_, length);
  const auto options = sequences.lengths_B.options();
  const at::Tensor position_S = at::arange(length, options);
  const at::Tensor length_B1 = sequences.lengths_B.unsqueeze(1);
  const at::Tensor slot_BS =
      at::where(length_B1 <= projected_length_, position_S.unsqueeze(0),
                (position_S * projected_length_).unsqueeze(0).floor_divide(length_B1));
  const at::Tensor is_real_BS = position_S.unsqueeze(0) < length_B1;
  const at::Tensor member_B1KS = (slot_BS.unsqueeze(1) == at::arange(slots, options).unsqueeze(1))
                                     .logical_and(is_real_BS.unsqueeze(1))
                                     .unsqueeze(1);
  const at::Tensor score_BHS =
      unpack(at::linear(input_TM, score_weight_HM_, score_bias_H_), sequences).transpose(1, 2);
  // A finite floor instead of -inf: an empty slot becomes a plain mean that the mask hides, not
  // NaN.
  const double lowest =
      score_BHS.scalar_type() == at::kBFloat16 ? -1e30 : std::numeric_limits<float>::lowest();
  const at::Tensor weight_BHKS =
      at::softmax(at::where(member_B1KS, score_BHS.unsqueeze(2),
                            at::scalar_tensor(lowest, score_BHS.options())),
                  -1);
  const auto pool = [&](const at::Tensor& x_BSM) {
    return at::matmul(weight_BHKS,
                      x_BSM.unflatten(2, {num_heads_, model_dim_ / num_heads_}).transpose(1, 2));
  };
  KeyValue out{pool(key_BSM), pool(value_BSM), {}};
  const std::int64_t shortest =
      *std::min_element(sequences.lengths.begin(), sequences.lengths.end());
  if (shortest < slots) out.mask_B11S = member_B1KS.any(-1).unsqueeze(2);
  return out;
}

ShortenedSequences SegmentAttention::shorten_packed(const at::Tensor& kv_T2M,
                                                    const at::Tensor& input_TM,
                                                    const PackedSequences& sequences) const {
  return pool_segments(kv_T2M, packed_scores(input_TM), sequences.start_B1, projected_length_);
}

at::Tensor SegmentAttention::attend_shortened_self(const at::Tensor& qkv_T3M,
                                                   const at::Tensor& input_TM,
                                                   const PackedSequences& sequences) const {
  return attend_pooled_self({.qkv_T3M = qkv_T3M,
                             .scores_TH = packed_scores(input_TM),
                             .start_B1 = sequences.start_B1,
                             .max_length = sequences.max_length,
                             .slots = projected_length_,
                             .heads = num_heads_});
}

at::Tensor SegmentAttention::packed_scores(const at::Tensor& input_TM) const {
  return linformer::linear(input_TM, score_weight_HM_);
}

}  // namespace linformer
