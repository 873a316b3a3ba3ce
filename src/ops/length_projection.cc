// SPDX-License-Identifier: Apache-2.0
#include "ops/length_projection.h"

#include "ops/accelerator.h"
#include "ops/packed_reference.h"

namespace linformer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool is_accelerated(const at::Tensor& kv_T2M) {
  return kv_T2M.scalar_type() == at::kBFloat16 && accelerator_of(kv_T2M.device()) != nullptr;
}

struct ProjectLength : torch::autograd::Function<ProjectLength> {
  static variable_list forward(AutogradContext* context, const at::Tensor& kv_T2M,
                               const at::Tensor& E_KN, const at::Tensor& F_KN,
                               const at::Tensor& start_B1, bool all_slots) {
    const Accelerator::ProjectedLength out =
        accelerator_of(kv_T2M.device())->project_length(kv_T2M, E_KN, F_KN, start_B1, all_slots);
    context->save_for_backward({kv_T2M, E_KN, F_KN, start_B1, out.slot_start_B1});
    context->saved_data["all_slots"] = all_slots;
    context->mark_non_differentiable({out.slot_start_B1});
    context->set_materialize_grads(false);  // the starts would get zeros
    return {out.slots_S2M, out.slot_start_B1};
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor kv_T2M = at::empty(saved[0].sizes(), saved[0].options());
    const Accelerator::ProjectionGradients out =
        accelerator_of(saved[0].device())
            ->project_length_backward(outputs[0], saved[0], saved[1], saved[2], saved[3], saved[4],
                                      context->saved_data["all_slots"].toBool(), kv_T2M);
    return {kv_T2M, out.E_KN, out.F_KN, {}, {}};
  }
};

struct PoolSegments : torch::autograd::Function<PoolSegments> {
  static variable_list forward(AutogradContext* context, const at::Tensor& kv_T2M,
                               const at::Tensor& scores_TH, const at::Tensor& start_B1,
                               std::int64_t slots) {
    const Accelerator::ProjectedLength out =
        accelerator_of(kv_T2M.device())->pool_segments(kv_T2M, scores_TH, start_B1, slots);
    context->save_for_backward({kv_T2M, scores_TH, start_B1, out.slots_S2M, out.slot_start_B1});
    context->saved_data["slots"] = slots;
    context->mark_non_differentiable({out.slot_start_B1});
    context->set_materialize_grads(false);  // the starts would get zeros
    return {out.slots_S2M, out.slot_start_B1};
  }

  static variable_list backward(AutogradContext* context, const variable_list& outputs) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor kv_T2M = at::empty(saved[0].sizes(), saved[0].options());
    const at::Tensor scores_TH =
        accelerator_of(saved[0].device())
            ->pool_segments_backward(outputs[0], saved[0], saved[1], saved[2], {saved[3], saved[4]},
                                     context->saved_data["slots"].toInt(), kv_T2M);
    return {kv_T2M, scores_TH, {}, {}};
  }
};

// On a GPU batches of products: at::matmul would make one of them, over transposed copies. On a CPU
// at::matmul: the last bits of at::bmm depend there on where the memory lies, which no resumed run
// could repeat.

/// For each sequence the parts of E's columns: [B parts, K, N / parts].
at::Tensor parts_of_projection(const at::Tensor& E_KN, std::int64_t batch, std::int64_t parts) {
  const std::int64_t length = E_KN.size(1) / parts;
  return E_KN.unflatten(1, {parts, length})
      .transpose(0, 1)
      .unsqueeze(0)
      .expand({batch, parts, E_KN.size(0), length})
      .reshape({batch * parts, E_KN.size(0), length});
}

/// [B parts, N / parts, M].
at::Tensor parts_of_input(const at::Tensor& x_BNM, std::int64_t parts) {
  return x_BNM.reshape({x_BNM.size(0) * parts, x_BNM.size(1) / parts, x_BNM.size(2)});
}

}  // namespace

ShortenedSequences project_length(const at::Tensor& kv_T2M, const at::Tensor& E_KN,
                                  const at::Tensor& F_KN, const at::Tensor& start_B1,
                                  bool all_slots) {
  if (!is_accelerated(kv_T2M)) return project_each_length(kv_T2M, E_KN, F_KN, start_B1, all_slots);
  const variable_list out = ProjectLength::apply(kv_T2M, E_KN, F_KN, start_B1, all_slots);
  return {.key_value_S2M = out[0], .slot_start_B1 = out[1], .max_slots = E_KN.size(0)};
}

at::Tensor project_rectangle(const at::Tensor& E_KN, const at::Tensor& x_BNM, std::int64_t parts) {
  if (!x_BNM.is_cuda() && parts == 1) return at::matmul(E_KN, x_BNM);
  if (parts == 1) return at::bmm(parts_of_projection(E_KN, x_BNM.size(0), 1), x_BNM);
  return at::bmm(parts_of_projection(E_KN, x_BNM.size(0), parts), parts_of_input(x_BNM, parts))
      .unflatten(0, {-1, parts})
      .sum(1);
}

at::Tensor project_rectangle_by_both(const at::Tensor& E_KN, const at::Tensor& F_KN,
                                     const at::Tensor& x_BNM, std::int64_t parts) {
  if (!x_BNM.is_cuda()) {
    return at::stack(
        {project_rectangle(E_KN, x_BNM, parts), project_rectangle(F_KN, x_BNM, parts)});
  }
  const std::int64_t batch = x_BNM.size(0);
  const at::Tensor input = parts_of_input(x_BNM, parts);
  at::Tensor out = at::empty({2, batch * parts, E_KN.size(0), x_BNM.size(2)}, x_BNM.options());
  at::Tensor by_E = out[0];
  at::Tensor by_F = out[1];
  at::bmm_out(by_E, parts_of_projection(E_KN, batch, parts), input);
  at::bmm_out(by_F, parts_of_projection(F_KN, batch, parts), input);
  return parts == 1 ? out : out.unflatten(1, {batch, parts}).sum(2);
}

std::int64_t projection_parts(const at::Tensor& E_KN, const at::Tensor& x_BNM) {
  if (!x_BNM.is_cuda() || at::GradMode::is_enabled()) return 1;
  constexpr std::int64_t kTile = 128;         // of the product's result, one for a multiprocessor
  constexpr std::int64_t kWantedTiles = 132;  // multiprocessors of an H100
  constexpr std::int64_t kLeastTokens = 512;  // below, adding up costs more than it saves
  const auto tiles = [](std::int64_t size) { return (size + kTile - 1) / kTile; };
  const std::int64_t products = x_BNM.size(0) * tiles(E_KN.size(0)) * tiles(x_BNM.size(2));
  const std::int64_t length = x_BNM.size(1);
  std::int64_t parts = 1;
  while (products * parts < kWantedTiles && length % (2 * parts) == 0 &&
         length / (2 * parts) >= kLeastTokens) {
    parts *= 2;
  }
  return parts;
}

ShortenedSequences pool_segments(const at::Tensor& kv_T2M, const at::Tensor& scores_TH,
                                 const at::Tensor& start_B1, std::int64_t slots) {
  if (!is_accelerated(kv_T2M)) return pool_each_segment(kv_T2M, scores_TH, start_B1, slots);
  const variable_list out = PoolSegments::apply(kv_T2M, scores_TH, start_B1, slots);
  return {.key_value_S2M = out[0], .slot_start_B1 = out[1], .max_slots = slots};
}

}  // namespace linformer
