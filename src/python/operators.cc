// SPDX-License-Identifier: Apache-2.0
// The functions of ops/ as operators torch.ops.linformer.*, registered when PyTorch loads this
// library. Every one is differentiable by its own autograd function or by ATen's; on a GPU they
// take its kernels under the conditions that their headers state. They run on the device of their
// first tensor, in the current stream. examples/python/linformer_ops.py documents them for Python.
#include "ops/accelerator.h"
#include "ops/dropout.h"
#include "ops/embed.h"
#include "ops/layer_norm.h"
#include "ops/length_projection.h"
#include "ops/linear.h"
#include "ops/linear_cross_entropy.h"
#include "ops/packed_attention.h"
#include "python/torch_library.h"

namespace linformer {
namespace {

using TensorPair = std::tuple<at::Tensor, at::Tensor>;

at::Tensor layer_norm_op(const at::Tensor& x_TM, const at::Tensor& weight_M,
                         const at::Tensor& bias_M, double epsilon) {
  const c10::DeviceGuard guard(x_TM.device());
  return layer_norm(x_TM, weight_M, bias_M, epsilon);
}

TensorPair add_layer_norm_op(const at::Tensor& x_TM, const at::Tensor& y_TM,
                             const at::Tensor& weight_M, const at::Tensor& bias_M, double epsilon) {
  const c10::DeviceGuard guard(x_TM.device());
  const AddedNorm out = add_layer_norm(x_TM, {.y_TM = y_TM}, weight_M, bias_M, epsilon);
  return {out.out_TM, out.again_TM};
}

at::Tensor linear_op(const at::Tensor& x_TM, const at::Tensor& weight_NM) {
  const c10::DeviceGuard guard(x_TM.device());
  return linformer::linear(x_TM, weight_NM);
}

at::Tensor feed_forward_op(const at::Tensor& x_TM, const at::Tensor& up_FM,
                           const at::Tensor& down_MF) {
  const c10::DeviceGuard guard(x_TM.device());
  const at::Tensor zeros_F = at::zeros({up_FM.size(0)}, x_TM.options().requires_grad(false));
  return feed_forward(x_TM, up_FM, down_MF, zeros_F);
}

at::Tensor dropout_op(const at::Tensor& x, double probability) {
  TORCH_CHECK_VALUE(probability >= 0 && probability < 1, "probability ", probability,
                    " is not in [0, 1)");
  const c10::DeviceGuard guard(x.device());
  return dropout(x, probability);
}

at::Tensor embed_op(const at::Tensor& weight_VM, const at::Tensor& ids_T,
                    const at::Tensor& positions_PM, const at::Tensor& at_T, double scale) {
  const c10::DeviceGuard guard(weight_VM.device());
  return embed(weight_VM, ids_T, positions_PM, at_T, scale);
}

/// int64 targets become what the path taken wants: int32 where an accelerator reads them.
TensorPair linear_cross_entropy_op(const at::Tensor& hidden_TM, const at::Tensor& weight_VM,
                                   const std::optional<at::Tensor>& bias,
                                   const at::Tensor& targets_T, double label_smoothing,
                                   double scale, bool is_root) {
  const c10::DeviceGuard guard(hidden_TM.device());
  const bool is_accelerated = weight_VM.scalar_type() == at::kBFloat16 &&
                              weight_VM.size(0) % 8 == 0 &&
                              accelerator_of(weight_VM.device()) != nullptr;
  LinearCrossEntropyInputs in;
  in.hidden_TM = hidden_TM;
  in.weight_VM = weight_VM;
  in.bias_V = bias.value_or(at::Tensor());
  in.targets_T = targets_T.to(is_accelerated ? at::kInt : at::kLong);
  in.label_smoothing = label_smoothing;
  in.scale = scale;
  in.is_root = is_root;
  if (is_accelerated) {
    in.device_scale = at::full({}, scale, hidden_TM.options().dtype(at::kFloat));
  }
  const LinearCrossEntropyResult out = linear_cross_entropy(in);
  return {out.loss, out.nll_sum};
}

void check_starts(const at::Tensor& start_B1, const at::Tensor& rows) {
  TORCH_CHECK_TYPE(start_B1.scalar_type() == at::kInt, "starts are int32, not ",
                   start_B1.scalar_type());
  TORCH_CHECK_VALUE(start_B1.dim() == 1 && start_B1.size(0) >= 1,
                    "starts have one dimension: where each sequence begins, and the end");
  TORCH_CHECK_VALUE(start_B1.device() == rows.device(), "starts are on ", start_B1.device(),
                    ", rows on ", rows.device());
}

at::Tensor attend_self_op(const at::Tensor& qkv_T3M, const at::Tensor& start_B1,
                          std::int64_t max_length, std::int64_t heads, bool causal) {
  check_starts(start_B1, qkv_T3M);
  TORCH_CHECK_VALUE(heads > 0 && qkv_T3M.size(1) % (3 * heads) == 0, heads, " heads do not fit ",
                    qkv_T3M.size(1), " columns of queries, keys and values");
  const c10::DeviceGuard guard(qkv_T3M.device());
  return attend_packed_self(qkv_T3M, {start_B1, start_B1, max_length, max_length}, heads, causal);
}

at::Tensor attend_cross_op(const at::Tensor& query_TM, const at::Tensor& kv_S2M,
                           const at::Tensor& query_start_B1, const at::Tensor& key_start_B1,
                           std::int64_t max_queries, std::int64_t max_keys, std::int64_t heads) {
  check_starts(query_start_B1, query_TM);
  check_starts(key_start_B1, kv_S2M);
  TORCH_CHECK_VALUE(kv_S2M.size(1) == 2 * query_TM.size(1), "keys and values have ", kv_S2M.size(1),
                    " columns, queries ", query_TM.size(1));
  TORCH_CHECK_VALUE(heads > 0 && query_TM.size(1) % heads == 0, heads, " heads do not fit ",
                    query_TM.size(1), " columns");
  const c10::DeviceGuard guard(query_TM.device());
  return attend_packed_cross(query_TM, kv_S2M,
                             {query_start_B1, key_start_B1, max_queries, max_keys}, heads);
}

TensorPair project_length_op(const at::Tensor& kv_T2M, const at::Tensor& E_KN,
                             const at::Tensor& F_KN, const at::Tensor& start_B1, bool all_slots) {
  check_starts(start_B1, kv_T2M);
  const c10::DeviceGuard guard(kv_T2M.device());
  const ShortenedSequences out = project_length(kv_T2M, E_KN, F_KN, start_B1, all_slots);
  return {out.key_value_S2M, out.slot_start_B1};
}

TensorPair pool_segments_op(const at::Tensor& kv_T2M, const at::Tensor& scores_TH,
                            const at::Tensor& start_B1, std::int64_t slots) {
  check_starts(start_B1, kv_T2M);
  TORCH_CHECK_VALUE(slots > 0, slots, " slots");
  const c10::DeviceGuard guard(kv_T2M.device());
  const ShortenedSequences out = pool_segments(kv_T2M, scores_TH, start_B1, slots);
  return {out.key_value_S2M, out.slot_start_B1};
}

TORCH_LIBRARY(linformer, library) {
  library.def("layer_norm(Tensor x, Tensor weight, Tensor bias, float epsilon=1e-5) -> Tensor",
              &layer_norm_op);
  library.def(
      "add_layer_norm(Tensor x, Tensor y, Tensor weight, Tensor bias, float epsilon=1e-5) "
      "-> (Tensor, Tensor)",
      &add_layer_norm_op);
  library.def("linear(Tensor x, Tensor weight) -> Tensor", &linear_op);
  library.def("feed_forward(Tensor x, Tensor up, Tensor down) -> Tensor", &feed_forward_op);
  library.def("dropout(Tensor x, float probability) -> Tensor", &dropout_op);
  library.def(
      "embed(Tensor weight, Tensor ids, Tensor positions, Tensor at, float scale=1.0) -> Tensor",
      &embed_op);
  library.def(
      "linear_cross_entropy(Tensor hidden, Tensor weight, Tensor? bias, Tensor targets, "
      "float label_smoothing=0.0, float scale=1.0, bool is_root=False) -> (Tensor, Tensor)",
      &linear_cross_entropy_op);
  library.def(
      "attend_packed_self(Tensor qkv, Tensor starts, int max_length, int heads, "
      "bool causal=False) -> Tensor",
      &attend_self_op);
  library.def(
      "attend_packed_cross(Tensor query, Tensor kv, Tensor query_starts, Tensor key_starts, "
      "int max_queries, int max_keys, int heads) -> Tensor",
      &attend_cross_op);
  library.def(
      "project_length(Tensor kv, Tensor E, Tensor F, Tensor starts, bool all_slots=False) "
      "-> (Tensor, Tensor)",
      &project_length_op);
  library.def(
      "pool_segments(Tensor kv, Tensor scores, Tensor starts, int slots) -> (Tensor, Tensor)",
      &pool_segments_op);
}

}  // namespace
}  // namespace linformer
