// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "config/field.h"

namespace linformer {

enum class ModelType { kTransformer, kLinformer };
template <>
struct EnumNames<ModelType> {
  static constexpr std::array<std::pair<ModelType, std::string_view>, 2> kValues{
      {{ModelType::kTransformer, "Vanilla transformer"}, {ModelType::kLinformer, "Linformer"}}};
};

enum class NormPlacement { kPre, kPost };
template <>
struct EnumNames<NormPlacement> {
  static constexpr std::array<std::pair<NormPlacement, std::string_view>, 2> kValues{
      {{NormPlacement::kPre, "pre"}, {NormPlacement::kPost, "post"}}};
};

/// How a Linformer shortens keys and values from n to k rows.
enum class Projection { kLinear, kSegment };
template <>
struct EnumNames<Projection> {
  static constexpr std::array<std::pair<Projection, std::string_view>, 2> kValues{
      {{Projection::kLinear, "linear"}, {Projection::kSegment, "segment"}}};
};

/// Start of E and F: identity E[i, j] = (j mod k == i); normal N(0, 1/k); seed
/// U(+-1/sqrt(max_length)).
enum class ProjectionInit { kIdentity, kNormal, kSeed };
template <>
struct EnumNames<ProjectionInit> {
  static constexpr std::array<std::pair<ProjectionInit, std::string_view>, 3> kValues{
      {{ProjectionInit::kIdentity, "identity"},
       {ProjectionInit::kNormal, "normal"},
       {ProjectionInit::kSeed, "seed"}}};
};

/// What a Linformer's cross-attention reads: k rows, as its encoder does (the original's), or the
/// whole source.
enum class CrossAttention { kShortened, kFull };
template <>
struct EnumNames<CrossAttention> {
  static constexpr std::array<std::pair<CrossAttention, std::string_view>, 2> kValues{
      {{CrossAttention::kShortened, "shortened"}, {CrossAttention::kFull, "full"}}};
};

/// Sizes and options of one model.
struct ModelConfig {
  ModelType type = ModelType::kTransformer;
  std::int64_t model_dim = 512;
  std::int64_t ffn_dim = 2048;
  std::int64_t num_heads = 8;
  std::int64_t num_layers = 6;
  std::int64_t projected_length = 0;  // no default: a Linformer must say it
  std::int64_t vocab_size = 0;
  bool encoder_only = false;
  NormPlacement norm = NormPlacement::kPre;
  double dropout = 0.1;
  bool tie_embeddings = true;
  Projection projection = Projection::kLinear;
  ProjectionInit projection_init = ProjectionInit::kIdentity;
  CrossAttention cross_attention = CrossAttention::kShortened;

  /// Not options of their own: set by RunConfig's finalization from `data.max_length` and the
  /// compatibility mode.
  std::int64_t max_length =
      256;  // columns of E and F; positions are not limited by it in a vanilla model
  bool compatibility = false;  // the original's model: no W^O, unscaled untied embeddings, head
                               // bias, E and F undivided

  std::int64_t head_dim() const { return model_dim / num_heads; }
  bool is_linformer() const { return type == ModelType::kLinformer; }
  bool shortens_cross_attention() const {
    return is_linformer() && cross_attention == CrossAttention::kShortened;
  }
  /// A decoder is there and reads the whole memory of an encoder that shortens.
  bool shortens_encoder_alone() const {
    return is_linformer() && !encoder_only && !shortens_cross_attention();
  }

  static void visit_fields(auto& self, auto& field) {
    field("type", self.type, Original{}, Required{"Linformer"},
          "Kind of attention in the encoder and in cross-attention.");
    field("model_dim", self.model_dim, Alias{"dim"}, Range{2, 2147483648}, Required{"512"},
          "Width of embeddings and layers (paper: d_m); a multiple of num_heads, even.");
    field("ffn_dim", self.ffn_dim, Alias{"mlp_dim"}, Range{1, 2147483648}, Required{"2048"},
          "Width inside the feed-forward layers (paper: d_ff).");
    field("num_heads", self.num_heads, Alias{"n_heads"}, Range{1, 1024}, Required{"8"},
          "Attention heads (paper: h).");
    field("num_layers", self.num_layers, Alias{"n_layers"}, Range{1, 1024}, Required{"6"},
          "Layers of the encoder, and of the decoder (paper: N).");
    field("projected_length", self.projected_length, Alias{"k"}, Range{1, 65536},
          "Rows that keys and values are shortened to (paper: k). A Linformer must say it.");
    field("vocab_size", self.vocab_size, Original{}, Range{0, 4194304},
          "Rows of the embedding; 0 = the tokenizer's size rounded up to a multiple of 8.");
    field("encoder_only", self.encoder_only, Original{},
          "No decoder: the head reads the encoder's output (compare only).");
    field("norm", self.norm,
          "Layer norm before (pre, with a final norm) or after (post) each sublayer.");
    field("dropout", self.dropout, Range{0, 0.99},
          "Probability of dropping an embedding or sublayer output in training.");
    field("tie_embeddings", self.tie_embeddings,
          "The head shares the embedding's weights and has no bias.");
    field("projection", self.projection,
          "How a Linformer shortens: linear (E, F) or segment (weighted means of k equal parts).");
    field("projection_init", self.projection_init,
          "Start of E and F: identity, normal or seed (the original's).");
    field("cross_attention", self.cross_attention,
          "What a Linformer's decoder reads of the source: k rows (shortened) or all (full).");
  }
};

}  // namespace linformer
