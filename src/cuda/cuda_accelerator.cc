// SPDX-License-Identifier: Apache-2.0
#include "cuda/cuda_graph.h"
#include "cuda/device_tensors.h"
#include "cuda/hopper.h"
#include "cuda/side_stream.h"
#include "kernels/adam_cuda.h"
#include "kernels/cross_entropy_cuda.h"
#include "kernels/embedding_cuda.h"
#include "kernels/layer_norm_cuda.h"
#include "kernels/length_projection_cuda.h"
#include "kernels/segment_pooling_cuda.h"
#include "kernels/short_attention_cuda.h"
#include "ops/accelerator.h"

namespace linformer {
namespace {

static_assert(Accelerator::kMaxNormWidth == kMaxNormWidth);

LengthProjection projection(const at::Tensor& kv_T2M, const at::Tensor& E_KN,
                            const at::Tensor& F_KN, const at::Tensor& start_B1, bool all_slots) {
  check_bfloat16(kv_T2M);
  check_bfloat16(E_KN);
  check_bfloat16(F_KN);
  TORCH_CHECK(kv_T2M.size(1) % 128 == 0 && kv_T2M.stride(0) % 8 == 0, "keys and values of width ",
              kv_T2M.size(1) / 2, " (want a multiple of 64)");
  LengthProjection out{};
  out.kv_T2M = kv_T2M.const_data_ptr();
  out.kv_stride = kv_T2M.stride(0);
  out.E_KN = E_KN.const_data_ptr();
  out.F_KN = F_KN.const_data_ptr();
  out.start_B1 = integers_of(start_B1);
  out.batch = start_B1.size(0) - 1;
  out.width = kv_T2M.size(1) / 2;
  out.slots = E_KN.size(0);
  out.max_length = E_KN.size(1);
  out.all_slots = all_slots;
  return out;
}

SegmentPooling pooling(const at::Tensor& kv_T2M, const at::Tensor& scores_TH,
                       const at::Tensor& start_B1, const Accelerator::ProjectedLength& slots,
                       std::int64_t num_slots) {
  check_bfloat16(kv_T2M);
  TORCH_CHECK(kv_T2M.stride(0) % 8 == 0, "keys and values in rows that are not aligned");
  TORCH_CHECK(scores_TH.is_contiguous() && scores_TH.scalar_type() == at::kBFloat16, "scores ",
              scores_TH.toString());
  SegmentPooling out{};
  out.kv_T2M = kv_T2M.const_data_ptr();
  out.kv_stride = kv_T2M.stride(0);
  out.scores_TH = scores_TH.const_data_ptr();
  out.start_B1 = integers_of(start_B1);
  out.slot_start_B1 = integers_of(slots.slot_start_B1);
  out.pooled_S2M = slots.slots_S2M.mutable_data_ptr();
  out.batch = start_B1.size(0) - 1;
  out.slots = num_slots;
  out.heads = scores_TH.size(1);
  out.head_width = kv_T2M.size(1) / 2 / out.heads;
  TORCH_CHECK(out.heads <= 16 && out.head_width <= 256, out.heads, " heads of width ",
              out.head_width, " (want at most 16 of 256)");
  return out;
}

ShortAttention short_attention(const AcceleratedAttention& in, const AttentionPlan& plan) {
  for (const at::Tensor& x : {in.query_TM, in.key_SM, in.value_SM}) {
    check_bfloat16(x);
    TORCH_CHECK(x.stride(0) % 8 == 0, "rows that are not aligned");
  }
  TORCH_CHECK(in.key_SM.stride(0) == in.value_SM.stride(0), "keys and values of other strides");
  return {.query_TM = in.query_TM.const_data_ptr(),
          .key_SM = in.key_SM.const_data_ptr(),
          .value_SM = in.value_SM.const_data_ptr(),
          .query_stride = in.query_TM.stride(0),
          .key_value_stride = in.key_SM.stride(0),
          .plan = plan,
          .out_TM = in.out_TM.mutable_data_ptr(),
          .lse_HT = data_of(in.lse_HT),
          .rows = in.query_TM.size(0),
          .heads = in.heads,
          .head_width = in.query_TM.size(1) / in.heads,
          .causal = in.causal};
}

class CudaAccelerator final : public Accelerator {
 public:
  std::string device_name(at::Device device) const override {
    return at::cuda::getDeviceProperties(device.index())->name;
  }

  Norm layer_norm(const at::Tensor& x_TM, const at::Tensor& added_TM, double dropout,
                  const at::Tensor& weight_M, const at::Tensor& bias_M,
                  double epsilon) const override {
    const c10::cuda::CUDAGuard guard(x_TM.device());
    const at::Tensor x = x_TM.contiguous();
    check_bfloat16(x);
    const at::Tensor added = contiguous_or_none(added_TM);
    Norm out{.sum_TM = added.defined() ? at::empty_like(x) : x,
             .out_TM = at::empty_like(x),
             .mean_T = floats({x.size(0)}, x),
             .rstd_T = floats({x.size(0)}, x),
             .dropout_key = {}};
    LayerNormForward in{};
    in.x_TM = x.const_data_ptr();
    in.added_TM = data_or_null(added);
    in.weight_M = weight_M.const_data_ptr();
    in.bias_M = bias_M.const_data_ptr();
    if (added.defined()) in.sum_TM = out.sum_TM.mutable_data_ptr();
    if (added.defined() && dropout > 0) {
      out.dropout_key = at::empty({1}, x.options().dtype(at::kLong));
      in.dropout = make_dropout_mask(0, dropout);
      in.random = next_random_place();
      in.dropout_key = static_cast<std::uint64_t*>(out.dropout_key.mutable_data_ptr());
    }
    in.out_TM = out.out_TM.mutable_data_ptr();
    in.mean_T = data_of(out.mean_T);
    in.rstd_T = data_of(out.rstd_T);
    in.rows = x.size(0);
    in.width = x.size(1);
    in.epsilon = static_cast<float>(epsilon);
    layer_norm_forward(in, stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return out;
  }

  NormGradients layer_norm_backward(const UpstreamGradients& upstream, const Norm& norm,
                                    double dropout, const at::Tensor& weight_M) const override {
    const c10::cuda::CUDAGuard guard(weight_M.device());
    const at::Tensor gradient = upstream.out_TM.contiguous();
    check_bfloat16(gradient);
    const at::Tensor second = contiguous_or_none(upstream.second_out_TM);
    const at::Tensor other = contiguous_or_none(upstream.sum_TM);
    NormGradients out{.x_TM = at::empty_like(gradient),
                      .added_TM = {},
                      .weight_M = at::empty_like(weight_M),
                      .bias_M = at::empty_like(weight_M)};
    out.added_TM = norm.dropout_key.defined() ? at::empty_like(gradient) : out.x_TM;
    const at::Tensor partial = floats({layer_norm_partial_floats(weight_M.size(0))}, gradient);
    LayerNormBackward in{};
    in.gradient_TM = gradient.const_data_ptr();
    in.second_gradient_TM = data_or_null(second);
    in.other_gradient_TM = data_or_null(other);
    in.x_TM = norm.sum_TM.const_data_ptr();
    in.weight_M = weight_M.const_data_ptr();
    in.mean_T = data_of(norm.mean_T);
    in.rstd_T = data_of(norm.rstd_T);
    if (norm.dropout_key.defined()) {
      in.dropout = make_dropout_mask(0, dropout);
      in.dropout_key = static_cast<const std::uint64_t*>(norm.dropout_key.const_data_ptr());
      in.added_gradient_TM = out.added_TM.mutable_data_ptr();
    }
    in.x_gradient_TM = out.x_TM.mutable_data_ptr();
    in.weight_gradient_M = out.weight_M.mutable_data_ptr();
    in.bias_gradient_M = out.bias_M.mutable_data_ptr();
    in.partial = data_of(partial);
    in.rows = gradient.size(0);
    in.width = gradient.size(1);
    linformer::layer_norm_backward(in, stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    if (side_ == nullptr) {
      layer_norm_parameter_gradients({&in, 1}, stream());
      C10_CUDA_KERNEL_LAUNCH_CHECK();
    } else {
      side_->norms.push_back(in);
      side_->kept.push_back(partial);
      side_->keep_results({out.weight_M, out.bias_M});
    }
    return out;
  }

  void attend(AcceleratedAttention& attention) const override {
    const c10::cuda::CUDAGuard guard(attention.query_TM.device());
    attention.out_TM = at::empty(attention.query_TM.sizes(), attention.query_TM.options());
    attention.lse_HT = floats({attention.heads, attention.query_TM.size(0)}, attention.query_TM);
    short_attention_forward(short_attention(attention, planned(attention).plan), stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  }

  void attend_backward(const AcceleratedAttention& attention, const at::Tensor& gradient_TM,
                       const at::Tensor& query_gradient_TM, const at::Tensor& key_gradient_SM,
                       const at::Tensor& value_gradient_SM) const override {
    const c10::cuda::CUDAGuard guard(attention.query_TM.device());
    const at::Tensor gradient = gradient_TM.contiguous();
    check_bfloat16(gradient);
    short_attention_backward({.forward = short_attention(attention, planned(attention).plan),
                              .out_gradient_TM = gradient.const_data_ptr(),
                              .query_gradient_TM = query_gradient_TM.mutable_data_ptr(),
                              .key_gradient_SM = key_gradient_SM.mutable_data_ptr(),
                              .value_gradient_SM = value_gradient_SM.mutable_data_ptr(),
                              .query_gradient_stride = query_gradient_TM.stride(0),
                              .key_value_gradient_stride = key_gradient_SM.stride(0)},
                             stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  }

  bool attend_long(AcceleratedAttention& attention) const override {
    return attend_long_on_hopper(attention);
  }

  std::optional<at::Tensor> relu_product(const at::Tensor& x_TM,
                                         const at::Tensor& weight_FM) const override {
    return relu_product_on_hopper(x_TM, weight_FM);
  }

  std::optional<at::Tensor> masked_product(const at::Tensor& gradient_TM,
                                           const at::Tensor& weight_MF,
                                           const at::Tensor& inner_TF) const override {
    return masked_product_on_hopper(gradient_TM, weight_MF, inner_TF);
  }

  RowLosses cross_entropy(at::Tensor& logits_CV, const at::Tensor& labels_C, double smoothing,
                          const at::Tensor& scale, bool wants_gradient) const override {
    const c10::cuda::CUDAGuard guard(logits_CV.device());
    check_bfloat16(logits_CV);
    TORCH_CHECK(logits_CV.is_contiguous() && logits_CV.size(1) % 8 == 0, "logits of ",
                logits_CV.size(1), " classes (want a multiple of 8)");
    const RowLosses out{floats({logits_CV.size(0)}, logits_CV),
                        floats({logits_CV.size(0)}, logits_CV)};
    cross_entropy_rows({.logits_CV = logits_CV.mutable_data_ptr(),
                        .label_C = integers_of(labels_C),
                        .scale = data_of(scale),
                        .nll_C = data_of(out.nll_C),
                        .loss_C = data_of(out.loss_C),
                        .rows = logits_CV.size(0),
                        .classes = logits_CV.size(1),
                        .smoothing = static_cast<float>(smoothing),
                        .wants_gradient = wants_gradient},
                       stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return out;
  }

  std::optional<HeadLoss> head_loss(const at::Tensor& hidden_TM, const at::Tensor& weight_VM,
                                    const at::Tensor& bias_V, const at::Tensor& labels_T,
                                    double smoothing, const at::Tensor& scale) const override {
    return head_loss_on_hopper(hidden_TM, weight_VM, bias_V, labels_T, smoothing, scale);
  }

  std::optional<HeadRows> consume_head(const at::Tensor& hidden_TM, const at::Tensor& weight_VM,
                                       const at::Tensor& bias_V, const at::Tensor& targets_T,
                                       std::int64_t num_ids) const override {
    return consume_head_on_hopper(hidden_TM, weight_VM, bias_V, targets_T, num_ids);
  }

  at::Tensor embed(const at::Tensor& weight_VM, const at::Tensor& ids_T,
                   const at::Tensor& positions_PM, const at::Tensor& at_T,
                   double scale) const override {
    const c10::cuda::CUDAGuard guard(weight_VM.device());
    check_bfloat16(weight_VM);
    check_bfloat16(positions_PM);
    if (side_ != nullptr) {  // for the gradient
      run_beside({ids_T}, [&] {
        SideStream::Sorting& sorting = side_->sortings[ids_T.const_data_ptr()];
        sorting.tokens = sort_tokens(ids_T, weight_VM.size(0));
        sorting.is_done.record();
      });
    }
    at::Tensor out = at::empty({ids_T.size(0), weight_VM.size(1)}, weight_VM.options());
    embedding_forward({.weight_VM = weight_VM.const_data_ptr(),
                       .position_PM = positions_PM.const_data_ptr(),
                       .id_T = integers_of(ids_T),
                       .position_T = integers_of(at_T),
                       .out_TM = out.mutable_data_ptr(),
                       .rows = ids_T.size(0),
                       .width = weight_VM.size(1),
                       .scale = static_cast<float>(scale)},
                      stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return out;
  }

  at::Tensor embed_backward(const at::Tensor& gradient_TM, const at::Tensor& ids_T,
                            std::int64_t entries, double scale) const override {
    const c10::cuda::CUDAGuard guard(gradient_TM.device());
    const at::Tensor gradient = gradient_TM.contiguous();
    check_bfloat16(gradient);
    at::Tensor out = at::empty({entries, gradient.size(1)}, gradient.options());
    // Nearly all other gradients are there: their sums run beside this one.
    if (side_ != nullptr) side_->take_sums(at::cuda::getCurrentCUDAStream());
    const SortedTokens tokens = sorted_tokens(ids_T, entries);
    embedding_backward({.gradient_TM = gradient.const_data_ptr(),
                        .sorted = tokens.sorted,
                        .weight_gradient_VM = out.mutable_data_ptr(),
                        .rows = gradient.size(0),
                        .width = gradient.size(1),
                        .entries = entries,
                        .scale = static_cast<float>(scale)},
                       stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return out;
  }

  ProjectedLength project_length(const at::Tensor& kv_T2M, const at::Tensor& E_KN,
                                 const at::Tensor& F_KN, const at::Tensor& start_B1,
                                 bool all_slots) const override {
    const c10::cuda::CUDAGuard guard(kv_T2M.device());
    LengthProjection in = projection(kv_T2M, E_KN, F_KN, start_B1, all_slots);
    const ProjectedLength out = slots_of(kv_T2M, start_B1, in.slots, all_slots);
    in.slot_start_B1 = integers_of(out.slot_start_B1);
    in.slots_S2M = out.slots_S2M.mutable_data_ptr();
    linformer::project_length(in, stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return out;
  }

  ProjectionGradients project_length_backward(const at::Tensor& slots_gradient_S2M,
                                              const at::Tensor& kv_T2M, const at::Tensor& E_KN,
                                              const at::Tensor& F_KN, const at::Tensor& start_B1,
                                              const at::Tensor& slot_start_B1, bool all_slots,
                                              const at::Tensor& kv_gradient_T2M) const override {
    const c10::cuda::CUDAGuard guard(kv_T2M.device());
    const at::Tensor gradient = slots_gradient_S2M.contiguous();
    check_bfloat16(gradient);
    LengthProjectionBackward in{.forward = projection(kv_T2M, E_KN, F_KN, start_B1, all_slots)};
    in.forward.slot_start_B1 = integers_of(slot_start_B1);
    const ProjectionGradients out{at::empty_like(E_KN), at::empty_like(F_KN)};
    const at::Tensor partial = floats({length_projection_partial_floats(in.forward)}, gradient);
    in.slots_gradient_S2M = gradient.const_data_ptr();
    in.kv_gradient_T2M = kv_gradient_T2M.mutable_data_ptr();
    in.kv_gradient_stride = kv_gradient_T2M.stride(0);
    in.E_gradient_KN = out.E_KN.mutable_data_ptr();
    in.F_gradient_KN = out.F_KN.mutable_data_ptr();
    in.partial = data_of(partial);
    project_length_key_value_gradient(in, stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    run_beside({gradient, kv_T2M, partial, slot_start_B1, start_B1}, [&] {
      project_length_weight_parts(in, stream());
      C10_CUDA_KERNEL_LAUNCH_CHECK();
      if (side_ != nullptr) {
        side_->projections.push_back(in);
        side_->keep_results({out.E_KN, out.F_KN});
        return;
      }
      project_length_weight_gradients({&in, 1}, stream());
      C10_CUDA_KERNEL_LAUNCH_CHECK();
    });
    return out;
  }

  ProjectedLength pool_segments(const at::Tensor& kv_T2M, const at::Tensor& scores_TH,
                                const at::Tensor& start_B1, std::int64_t slots) const override {
    const c10::cuda::CUDAGuard guard(kv_T2M.device());
    const ProjectedLength out = slots_of(kv_T2M, start_B1, slots, /*all_slots=*/false);
    linformer::pool_segments(pooling(kv_T2M, scores_TH, start_B1, out, slots), stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return out;
  }

  at::Tensor pool_segments_backward(const at::Tensor& slots_gradient_S2M, const at::Tensor& kv_T2M,
                                    const at::Tensor& scores_TH, const at::Tensor& start_B1,
                                    const ProjectedLength& pooled, std::int64_t slots,
                                    const at::Tensor& kv_gradient_T2M) const override {
    const c10::cuda::CUDAGuard guard(kv_T2M.device());
    const at::Tensor gradient = slots_gradient_S2M.contiguous();
    check_bfloat16(gradient);
    check_bfloat16(kv_gradient_T2M);
    TORCH_CHECK(kv_gradient_T2M.stride(0) % 8 == 0, "gradients in rows that are not aligned");
    at::Tensor scores = at::empty_like(scores_TH);
    linformer::pool_segments_backward(
        {.forward = pooling(kv_T2M, scores_TH, start_B1, pooled, slots),
         .pooled_gradient_S2M = gradient.const_data_ptr(),
         .kv_gradient_T2M = kv_gradient_T2M.mutable_data_ptr(),
         .kv_gradient_stride = kv_gradient_T2M.stride(0),
         .scores_gradient_TH = scores.mutable_data_ptr()},
        stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return scores;
  }

  void adam_step(const FusedAdam& adam) const override {
    const c10::cuda::CUDAGuard guard(adam.norm.device());
    std::vector<AdamTensor> tensors;
    std::vector<at::Tensor> kept;
    for (const FusedAdam::Member& member : adam.members) {
      const void* gradient = nullptr;
      if (member.gradient.defined()) {
        kept.push_back(member.gradient.contiguous());
        check_bfloat16(kept.back());
        gradient = kept.back().const_data_ptr();
      }
      tensors.push_back({.gradient = gradient,
                         .master = data_of(member.master),
                         .exp_avg = data_of(member.exp_avg),
                         .exp_avg_sq = data_of(member.exp_avg_sq),
                         .shadow = member.shadow.mutable_data_ptr(),
                         .size = member.master.numel(),
                         .lr_scale = static_cast<float>(member.lr_scale)});
    }
    const at::Tensor factors = floats({3}, adam.norm);
    const at::Tensor partials = floats({adam_partial_floats(tensors)}, adam.norm);
    linformer::adam_step(tensors,
                         {.beta1 = static_cast<float>(adam.beta1),
                          .beta2 = static_cast<float>(adam.beta2),
                          .epsilon = static_cast<float>(adam.epsilon),
                          .weight_decay = static_cast<float>(adam.weight_decay),
                          .is_decoupled = adam.is_decoupled,
                          .gradient_clip = static_cast<float>(adam.gradient_clip)},
                         {.learning_rate = data_of(adam.learning_rate),
                          .steps = data_of(adam.steps),
                          .norms_P = data_of(adam.norms_P),
                          .norm = data_of(adam.norm),
                          .factors = data_of(factors),
                          .partials = data_of(partials)},
                         stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  }

  std::unique_ptr<DeviceGraph> make_graph(const DeviceGraph* other) const override {
    return std::make_unique<CudaGraph>(other == nullptr
                                           ? at::cuda::graph_pool_handle()
                                           : static_cast<const CudaGraph*>(other)->pool());
  }

  std::shared_ptr<void> use_own_stream(at::Device device) const override {
    return std::make_shared<c10::cuda::CUDAStreamGuard>(
        at::cuda::getStreamFromPool(/*isHighPriority=*/true, device.index()));
  }

  std::shared_ptr<void> open_side_stream(at::Device device) const override {
    TORCH_CHECK(side_ == nullptr, "the side stream is open already");
    static const c10::cuda::CUDAStream low =
        at::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index());
    side_ = std::make_unique<SideStream>(low);
    const auto main = at::cuda::getCurrentCUDAStream(device.index());
    return {side_.get(), [this, main](void*) noexcept {
              try {
                if (!side_->kept.empty()) {
                  side_->take_sums(main);
                  SideStream::order(side_->stream, main);
                }
              } catch (const c10::Error&) {
                // A recording that has failed already.
              }
              side_.reset();
            }};
  }

  void run_beside(const std::vector<at::Tensor>& inputs,
                  const std::function<void()>& work) const override {
    if (side_ == nullptr) return work();
    const auto main = at::cuda::getCurrentCUDAStream(side_->stream.device_index());
    SideStream::order(main, side_->stream);
    const c10::cuda::CUDAStreamGuard guard(side_->stream);
    work();
    side_->kept.insert(side_->kept.end(), inputs.begin(), inputs.end());
  }

 private:
  PlannedAttention planned(const AcceleratedAttention& attention) const {
    if (side_ == nullptr) return plan(attention);
    const std::pair key{attention.query_start_B1.const_data_ptr(),
                        attention.key_start_B1.const_data_ptr()};
    const auto place = side_->plans.find(key);
    if (place != side_->plans.end()) return place->second;
    return side_->plans.emplace(key, plan(attention)).first->second;
  }

  /// Sorted beside the forward pass, where there is a second stream.
  SortedTokens sorted_tokens(const at::Tensor& ids_T, std::int64_t entries) const {
    if (side_ == nullptr) return sort_tokens(ids_T, entries);
    const auto place = side_->sortings.find(ids_T.const_data_ptr());
    if (place == side_->sortings.end()) return sort_tokens(ids_T, entries);
    place->second.is_done.block(at::cuda::getCurrentCUDAStream());
    return place->second.tokens;
  }

  /// Where the slots of each sequence begin.
  at::Tensor slot_starts(const at::Tensor& start_B1, std::int64_t slots, bool all_slots) const {
    const auto make = [&] {
      at::Tensor out = at::empty_like(start_B1);
      find_slot_starts(integers_of(start_B1), start_B1.size(0) - 1, slots, all_slots,
                       static_cast<std::int32_t*>(out.mutable_data_ptr()), stream());
      return out;
    };
    if (side_ == nullptr) return make();
    at::Tensor& kept = side_->slot_starts[{start_B1.const_data_ptr(), slots, all_slots}];
    if (!kept.defined()) kept = make();
    return kept;
  }

  /// Room for the slots of every sequence, with their starts.
  ProjectedLength slots_of(const at::Tensor& kv_T2M, const at::Tensor& start_B1, std::int64_t slots,
                           bool all_slots) const {
    const std::int64_t batch = start_B1.size(0) - 1;
    return {at::empty({batch * slots, kv_T2M.size(1)}, kv_T2M.options()),
            slot_starts(start_B1, slots, all_slots)};
  }

  mutable std::unique_ptr<SideStream> side_;  // while it is open
};

const CudaAccelerator kAccelerator{};
[[maybe_unused]] const bool kIsSet = [] {
  set_accelerator(&kAccelerator);
  return true;
}();

}  // namespace
}  // namespace linformer
