// SPDX-License-Identifier: Apache-2.0
#include "ops/packed_attention.h"

#include <algorithm>
#include <utility>

#include "ops/accelerator.h"
#include "ops/length_projection.h"
#include "ops/packed_reference.h"

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool is_accelerated(const at::Tensor& x) {
  return x.scalar_type() == at::kBFloat16 && accelerator_of(x.device()) != nullptr;
}

/// Whether the accelerator's kernels for short sequences take these.
bool has_short_kernel(std::int64_t queries, std::int64_t keys, std::int64_t head_width) {
  constexpr std::int64_t kLongest = 512;
  return std::max(queries, keys) <= kLongest && (head_width == 32 || head_width == 64);
}

// Sequences of one length, without gradients, by docs/decisions/017.
constexpr std::int64_t kLeastQueriesOfLongKernel = 128;
constexpr std::int64_t kLeastQueriesOfCudnn = 64;
constexpr std::int64_t kMostWidthOfCudnn = 128;
constexpr std::int64_t kLeastKeysOfOwn = 4096;  // that is faster than cuDNN's

at::Tensor attend_by_aten(const at::Tensor& query_THD, const at::Tensor& key_SHD,
                          const at::Tensor& value_SHD, const AttentionStarts& starts, bool causal) {
  if (!is_accelerated(query_THD)) {
    return attend_each_by_starts(query_THD, key_SHD, value_SHD, starts, causal);
  }
  return std::get<0>(at::_flash_attention_forward(query_THD, key_SHD, value_SHD, starts.query_B1,
                                                  starts.key_B1, starts.max_queries,
                                                  starts.max_keys, /*dropout_p=*/0.0, causal,
                                                  /*return_debug_mask=*/false))
      .flatten(1);
}

/// The columns of queries, keys and values in one matrix or two.
struct Columns {
  at::Tensor query_TM;
  at::Tensor key_SM;
  at::Tensor value_SM;
};

Columns columns_of_self(const at::Tensor& qkv_T3M) {
  const std::int64_t width = qkv_T3M.size(1) / 3;
  return {qkv_T3M.narrow(1, 0, width), qkv_T3M.narrow(1, width, width),
          qkv_T3M.narrow(1, 2 * width, width)};
}

Columns columns_of_cross(const at::Tensor& query_TM, const at::Tensor& kv_S2M) {
  const std::int64_t width = query_TM.size(1);
  return {query_TM, kv_S2M.narrow(1, 0, width), kv_S2M.narrow(1, width, width)};
}

AcceleratedAttention attention_of(const Columns& columns, const AttentionStarts& starts,
                                  std::int64_t heads, bool causal) {
  return {.query_TM = columns.query_TM,
          .key_SM = columns.key_SM,
          .value_SM = columns.value_SM,
          .query_start_B1 = starts.query_B1,
          .key_start_B1 = starts.key_B1,
          .out_TM = {},
          .lse_HT = {},
          .heads = heads,
          .max_queries = starts.max_queries,
          .causal = causal};
}

/// By the accelerator's kernel for long sequences, where it has one; it has no backward pass.
at::Tensor attend_long(const Columns& columns, const AttentionStarts& starts, std::int64_t heads,
                       bool causal) {
  const bool has_gradient = at::GradMode::is_enabled() &&
                            (columns.query_TM.requires_grad() || columns.key_SM.requires_grad());
  if (has_gradient || !is_accelerated(columns.query_TM)) return {};
  AcceleratedAttention attention = attention_of(columns, starts, heads, causal);
  accelerator_of(columns.query_TM.device())->attend_long(attention);
  return attention.out_TM;
}

/// Where as many keys of each of the sequences start.
at::Tensor equal_starts(const EqualLengths& in, std::int64_t keys) {
  if (keys == in.query_TM.size(0)) return in.query_start_B1;
  return at::arange(0, keys + 1, keys / in.batch, in.query_start_B1.options());
}

/// By our kernels; undefined where there is none.
at::Tensor attend_equal_by_own(const EqualLengths& in) {
  const std::int64_t rows = in.query_TM.size(0);
  const std::int64_t slots = in.key_SM.size(0);
  const AttentionStarts starts{.query_B1 = in.query_start_B1,
                               .key_B1 = equal_starts(in, slots),
                               .max_queries = rows / in.batch,
                               .max_keys = slots / in.batch};
  const Columns columns{in.query_TM, in.key_SM, in.value_SM};
  const bool is_short =
      has_short_kernel(starts.max_queries, starts.max_keys, in.query_TM.size(1) / in.heads);
  if (!is_short || starts.max_queries >= kLeastQueriesOfLongKernel) {
    const at::Tensor out_TM = attend_long(columns, starts, in.heads, in.causal);
    if (out_TM.defined() || !is_short) return out_TM;
  }
  AcceleratedAttention attention = attention_of(columns, starts, in.heads, in.causal);
  accelerator_of(in.query_TM.device())->attend(attention);
  return attention.out_TM;
}

void save_attention(AutogradContext* context, const AcceleratedAttention& attention,
                    const variable_list& inputs) {
  variable_list saved{attention.out_TM, attention.lse_HT, attention.query_start_B1,
                      attention.key_start_B1};
  saved.insert(saved.end(), inputs.begin(), inputs.end());
  context->save_for_backward(saved);
  context->saved_data["heads"] = attention.heads;
  context->saved_data["causal"] = attention.causal;
}

AcceleratedAttention saved_attention(AutogradContext* context, const variable_list& saved,
                                     const Columns& columns) {
  AcceleratedAttention out =
      attention_of(columns, {.query_B1 = saved[2], .key_B1 = saved[3]},
                   context->saved_data["heads"].toInt(), context->saved_data["causal"].toBool());
  out.out_TM = saved[0];
  out.lse_HT = saved[1];
  return out;
}

struct ShortSelf : torch::autograd::Function<ShortSelf> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv_T3M,
                            const AttentionStarts& starts, std::int64_t heads, bool causal) {
    AcceleratedAttention attention = attention_of(columns_of_self(qkv_T3M), starts, heads, causal);
    accelerator_of(qkv_T3M.device())->attend(attention);
    save_attention(context, attention, {qkv_T3M});
    return attention.out_TM;
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor gradient = at::empty_like(saved[4]);
    const Columns to = columns_of_self(gradient);
    accelerator_of(gradient.device())
        ->attend_backward(saved_attention(context, saved, columns_of_self(saved[4])), outputs[0],
                          to.query_TM, to.key_SM, to.value_SM);
    return {gradient, {}, {}, {}};
  }
};

struct ShortCross : torch::autograd::Function<ShortCross> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& query_TM,
                            const at::Tensor& kv_S2M, const AttentionStarts& starts,
                            std::int64_t heads) {
    AcceleratedAttention attention =
        attention_of(columns_of_cross(query_TM, kv_S2M), starts, heads, false);
    accelerator_of(query_TM.device())->attend(attention);
    save_attention(context, attention, {query_TM, kv_S2M});
    return attention.out_TM;
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor query_gradient = at::empty(saved[4].sizes(), saved[4].options());
    const at::Tensor kv_gradient = at::empty_like(saved[5]);
    const Columns to = columns_of_cross(query_gradient, kv_gradient);
    accelerator_of(query_gradient.device())
        ->attend_backward(saved_attention(context, saved, columns_of_cross(saved[4], saved[5])),
                          outputs[0], to.query_TM, to.key_SM, to.value_SM);
    return {query_gradient, kv_gradient, {}, {}};
  }
};

at::Tensor queries_of(const at::Tensor& x_T3M) { return x_T3M.narrow(1, 0, x_T3M.size(1) / 3); }
at::Tensor key_values_of(const at::Tensor& x_T3M) {
  const std::int64_t width = x_T3M.size(1) / 3;
  return x_T3M.narrow(1, width, 2 * width);
}

/// Self-attention over slots that stand for the keys and values. Saves itself, qkv, the slots and
/// `others`.
at::Tensor attend_slots(AutogradContext* context, const at::Tensor& qkv_T3M,
                        const Accelerator::ProjectedLength& slots, const AttentionStarts& starts,
                        std::int64_t heads, const variable_list& others) {
  AcceleratedAttention attention = attention_of(
      columns_of_cross(queries_of(qkv_T3M), slots.slots_S2M), starts, heads, /*causal=*/false);
  accelerator_of(qkv_T3M.device())->attend(attention);
  variable_list saved{qkv_T3M, slots.slots_S2M};
  saved.insert(saved.end(), others.begin(), others.end());
  save_attention(context, attention, saved);
  return attention.out_TM;
}

/// What attend_slots saved, in its places, and gradients: of qkv, of which the queries' is set, and
/// of the slots.
struct SlotsBackward {
  SlotsBackward(AutogradContext* context, const at::Tensor& gradient_TM)
      : saved(context->get_saved_variables()),
        start_B1(saved[2]),
        slot_start_B1(saved[3]),
        qkv_T3M(saved[4]),
        slots_S2M(saved[5]),
        accelerator(*accelerator_of(qkv_T3M.device())),
        qkv_gradient_T3M(at::empty_like(qkv_T3M)),
        slots_gradient_S2M(at::empty_like(slots_S2M)) {
    const Columns to = columns_of_cross(queries_of(qkv_gradient_T3M), slots_gradient_S2M);
    accelerator.attend_backward(
        saved_attention(context, saved, columns_of_cross(queries_of(qkv_T3M), slots_S2M)),
        gradient_TM, to.query_TM, to.key_SM, to.value_SM);
  }
  const at::Tensor& other(std::size_t i) const { return saved[6 + i]; }

  variable_list saved;
  const at::Tensor& start_B1;
  const at::Tensor& slot_start_B1;
  const at::Tensor& qkv_T3M;
  const at::Tensor& slots_S2M;
  const Accelerator& accelerator;
  at::Tensor qkv_gradient_T3M;
  at::Tensor slots_gradient_S2M;
};

struct ShortProjectedSelf : torch::autograd::Function<ShortProjectedSelf> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv_T3M,
                            const at::Tensor& E_KN, const at::Tensor& F_KN,
                            const ProjectedSelf& in) {
    const Accelerator::ProjectedLength slots =
        accelerator_of(qkv_T3M.device())
            ->project_length(key_values_of(qkv_T3M), E_KN, F_KN, in.start_B1, in.all_slots);
    context->saved_data["all_slots"] = in.all_slots;
    return attend_slots(context, qkv_T3M, slots,
                        {.query_B1 = in.start_B1,
                         .key_B1 = slots.slot_start_B1,
                         .max_queries = in.max_length,
                         .max_keys = E_KN.size(0)},
                        in.heads, {E_KN, F_KN});
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const SlotsBackward in(context, outputs[0]);
    const Accelerator::ProjectionGradients projections = in.accelerator.project_length_backward(
        in.slots_gradient_S2M, key_values_of(in.qkv_T3M), in.other(0), in.other(1), in.start_B1,
        in.slot_start_B1, context->saved_data["all_slots"].toBool(),
        key_values_of(in.qkv_gradient_T3M));
    return {in.qkv_gradient_T3M, projections.E_KN, projections.F_KN, {}};
  }
};

struct ShortPooledSelf : torch::autograd::Function<ShortPooledSelf> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv_T3M,
                            const at::Tensor& scores_TH, const PooledSelf& in) {
    const Accelerator::ProjectedLength slots =
        accelerator_of(qkv_T3M.device())
            ->pool_segments(key_values_of(qkv_T3M), scores_TH, in.start_B1, in.slots);
    context->saved_data["slots"] = in.slots;
    return attend_slots(context, qkv_T3M, slots,
                        {.query_B1 = in.start_B1,
                         .key_B1 = slots.slot_start_B1,
                         .max_queries = in.max_length,
                         .max_keys = in.slots},
                        in.heads, {scores_TH});
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const SlotsBackward in(context, outputs[0]);
    const at::Tensor scores_TH = in.accelerator.pool_segments_backward(
        in.slots_gradient_S2M, key_values_of(in.qkv_T3M), in.other(0), in.start_B1,
        {in.slots_S2M, in.slot_start_B1}, context->saved_data["slots"].toInt(),
        key_values_of(in.qkv_gradient_T3M));
    return {in.qkv_gradient_T3M, scores_TH, {}};
  }
};

/// Self-attention over what the keys and values were shortened to.
at::Tensor attend_shortened(const at::Tensor& query_TM, const ShortenedSequences& kv,
                            const at::Tensor& start_B1, std::int64_t max_length,
                            std::int64_t heads) {
  return attend_packed_cross(query_TM, kv.key_value_S2M,
                             {.query_B1 = start_B1,
                              .key_B1 = kv.slot_start_B1,
                              .max_queries = max_length,
                              .max_keys = kv.max_slots},
                             heads);
}

at::Tensor as_batch_of_one(const at::Tensor& x_NHD) { return x_NHD.transpose(0, 1).unsqueeze(0); }

}  // namespace

bool prefers_attend_each(const PackedSequences& queries, const PackedSequences& keys,
                         std::int64_t width) {
  if (!queries.lengths_B.is_cpu()) return false;
  // Products of padded queries and keys that cost as much as a call, forward and backward.
  constexpr std::int64_t kCallProducts = 1 << 20;
  std::int64_t padded = queries.batch_size() * queries.max_length * keys.max_length;
  for (std::size_t b = 0; b < queries.lengths.size(); ++b) {
    padded -= queries.lengths[b] * keys.lengths[b];
  }
  return padded * width > queries.batch_size() * kCallProducts;
}

at::Tensor attend_each(const PackedAttentionInputs& in) {
  TORCH_CHECK(in.queries.batch_size() == in.keys.batch_size(), "queries of ",
              in.queries.batch_size(), " sequences, keys of ", in.keys.batch_size());
  // Splitting, unlike narrowing one by one, has a gradient that costs one concatenation.
  const auto queries = real_rows(in.query_THD, in.queries).split_with_sizes(in.queries.lengths);
  const auto keys = real_rows(in.key_SHD, in.keys).split_with_sizes(in.keys.lengths);
  const auto values = real_rows(in.value_SHD, in.keys).split_with_sizes(in.keys.lengths);
  std::vector<at::Tensor> outputs;
  outputs.reserve(queries.size());
  for (std::size_t b = 0; b < queries.size(); ++b) {
    AttentionInputs one;
    one.query_BHND = as_batch_of_one(queries[b]);
    one.key_BHSD = as_batch_of_one(keys[b]);
    one.value_BHSD = as_batch_of_one(values[b]);
    one.causal = in.causal;
    one.backend = in.backend;
    outputs.push_back(attend(one).squeeze(0).transpose(0, 1).flatten(1));
  }
  return with_all_rows(at::cat(outputs), in.queries);
}

at::Tensor attend_packed_self(const at::Tensor& qkv_T3M, const AttentionStarts& starts,
                              std::int64_t heads, bool causal) {
  const std::int64_t width = qkv_T3M.size(1) / 3;
  if (is_accelerated(qkv_T3M) &&
      has_short_kernel(starts.max_queries, starts.max_keys, width / heads)) {
    return ShortSelf::apply(qkv_T3M, starts, heads, causal);
  }
  const at::Tensor out = attend_long(columns_of_self(qkv_T3M), starts, heads, causal);
  if (out.defined()) return out;
  const auto parts = qkv_T3M.unflatten(1, {3, heads, -1}).unbind(1);
  return attend_by_aten(parts[0], parts[1], parts[2], starts, causal);
}

at::Tensor attend_packed_cross(const at::Tensor& query_TM, const at::Tensor& kv_S2M,
                               const AttentionStarts& starts, std::int64_t heads) {
  const std::int64_t width = query_TM.size(1);
  if (is_accelerated(query_TM) &&
      has_short_kernel(starts.max_queries, starts.max_keys, width / heads)) {
    return ShortCross::apply(query_TM, kv_S2M, starts, heads);
  }
  const at::Tensor out =
      attend_long(columns_of_cross(query_TM, kv_S2M), starts, heads, /*causal=*/false);
  if (out.defined()) return out;
  const auto parts = kv_S2M.unflatten(1, {2, heads, -1}).unbind(1);
  return attend_by_aten(query_TM.unflatten(1, {heads, -1}), parts[0], parts[1], starts, false);
}

at::Tensor attend_projected_self(const ProjectedSelf& in) {
  const std::int64_t width = in.qkv_T3M.size(1) / 3;
  if (is_accelerated(in.qkv_T3M) &&
      has_short_kernel(in.max_length, in.E_KN.size(0), width / in.heads)) {
    return ShortProjectedSelf::apply(in.qkv_T3M, in.E_KN, in.F_KN, in);
  }
  const auto parts = in.qkv_T3M.split_with_sizes({width, 2 * width}, 1);
  return attend_shortened(parts[0],
                          project_length(parts[1], in.E_KN, in.F_KN, in.start_B1, in.all_slots),
                          in.start_B1, in.max_length, in.heads);
}

at::Tensor attend_pooled_self(const PooledSelf& in) {
  const std::int64_t width = in.qkv_T3M.size(1) / 3;
  if (is_accelerated(in.qkv_T3M) && has_short_kernel(in.max_length, in.slots, width / in.heads)) {
    return ShortPooledSelf::apply(in.qkv_T3M, in.scores_TH, in);
  }
  const auto parts = in.qkv_T3M.split_with_sizes({width, 2 * width}, 1);
  return attend_shortened(parts[0], pool_segments(parts[1], in.scores_TH, in.start_B1, in.slots),
                          in.start_B1, in.max_length, in.heads);
}

at::Tensor attend_equal_lengths(const EqualLengths& in) {
  const std::int64_t queries = in.query_TM.size(0) / in.batch;
  const std::int64_t keys = in.key_SM.size(0) / in.batch;
  const std::int64_t head_width = in.query_TM.size(1) / in.heads;
  LongAttentionKernel kernel = in.long_attention;
  if (kernel == LongAttentionKernel::kAuto) {
    const bool by_cudnn = queries >= kLeastQueriesOfCudnn && keys < kLeastKeysOfOwn &&
                          head_width % 8 == 0 && head_width <= kMostWidthOfCudnn;
    kernel = by_cudnn ? LongAttentionKernel::kCudnn : LongAttentionKernel::kOwn;
  } else if (has_short_kernel(queries, keys, head_width)) {
    kernel = LongAttentionKernel::kOwn;
  }
  if (kernel == LongAttentionKernel::kOwn) {
    const at::Tensor out_TM = attend_equal_by_own(in);
    if (out_TM.defined()) return out_TM;
  }
  const auto heads = [&](const at::Tensor& x_TM) {
    return x_TM.unflatten(1, {in.heads, -1}).unflatten(0, {in.batch, -1}).transpose(1, 2);
  };
  const at::Tensor query_BHND = heads(in.query_TM);
  const at::Tensor key_BHSD = heads(in.key_SM);
  const at::Tensor value_BHSD = heads(in.value_SM);
  const at::Tensor out_BHND =
      kernel != LongAttentionKernel::kFlash
          ? std::get<0>(at::_scaled_dot_product_cudnn_attention(
                query_BHND, key_BHSD, value_BHSD, /*attn_bias=*/{}, /*compute_log_sumexp=*/false,
                /*dropout_p=*/0.0, in.causal))
          : std::get<0>(at::_scaled_dot_product_flash_attention(query_BHND, key_BHSD, value_BHSD,
                                                                /*dropout_p=*/0.0, in.causal));
  return out_BHND.transpose(1, 2).reshape(in.query_TM.sizes());
}

}  // namespace linformer
